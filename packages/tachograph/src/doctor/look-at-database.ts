import { databasePlace, lookAtPostgresRegistry, type Registry, type Secret } from '@tachograph/ingest';
import { errorMessage } from '../error-code.ts';
import { bad, note, type Finding, type Opened } from './check.ts';

const CHECK = 'registry';

/** Opens the registry in PostgreSQL without changing it, or says why it is not opened. */
export async function lookAtDatabase(url: Secret): Promise<Opened<Registry>> {
  const place = `PostgreSQL at ${databasePlace(url.reveal())}`;
  try {
    const found = await lookAtPostgresRegistry(url);
    return typeof found === 'string'
      ? { opened: false, finding: findingOf(found, place) }
      : { opened: true, value: found };
  } catch (error) {
    return {
      opened: false,
      finding: bad(
        CHECK,
        `${place} cannot be used: ${errorMessage(error)}`,
        'Check that it runs and that DATABASE_URL names it, its user and its password.',
      ),
    };
  }
}

function findingOf(state: 'none' | 'older' | 'newer', place: string): Finding {
  switch (state) {
    case 'none':
      return note(CHECK, `${place}: none yet, it is made at the first start`);
    case 'older':
      return note(CHECK, `${place}: of an earlier release`, 'Nothing to do: the next start migrates it.');
    default:
      return bad(CHECK, `${place}: of a newer release`, 'Run the release that made it, or a newer one.');
  }
}
