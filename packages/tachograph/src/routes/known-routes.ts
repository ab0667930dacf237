import type { KnownTenant, RouteInput } from '@tachograph/siem-export';
import { CliFailure } from '../cli-failure.ts';
import type { Settings } from '../settings.ts';
import { loadRoutes, type LoadedRoutes, type RoutesOrigin } from './load-routes.ts';
import { routesFailure } from './routes-keeper.ts';
import { readRoutesText } from './routes-text.ts';
import { sharedDirectory } from './tenant-directory.ts';

/** The routes of this moment, and why tenants are not known, if they are not. */
export type KnownRoutes = Extract<LoadedRoutes, { ok: true }> & { readonly unknown: string | null };

/** The routes that a server would run now, beside which a command works. @throws CliFailure with every problem */
export async function knownRoutes(
  settings: Settings,
  origin: RoutesOrigin = settings.routes,
): Promise<KnownRoutes> {
  const { tenants, unknown } = await knownTenants(settings);
  const loaded = loadRoutes(origin, await readRoutesText(origin.file), tenants);
  if (!loaded.ok) throw routesFailure(loaded.problems);
  return { ...loaded, unknown };
}

/** The one of this name. @throws CliFailure that says which there are */
export async function knownRoute(settings: Settings, name: string): Promise<RouteInput> {
  const { routes } = await knownRoutes(settings);
  const route = routes.find((one) => one.name === name);
  if (route !== undefined) return route;
  const names = routes.map((one) => one.name).join(', ');
  throw new CliFailure(`There is no route ${name}.`, [
    `There is ${names}. \`tachograph export plan\` shows them.`,
  ]);
}

async function knownTenants({
  config,
}: Settings): Promise<{ tenants: readonly KnownTenant[] | null; unknown: string | null }> {
  const directory = sharedDirectory(config);
  try {
    return { tenants: await directory.tenants(), unknown: null };
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    return { tenants: null, unknown: error.message };
  } finally {
    await directory.close();
  }
}
