import { routesFileSchema } from '../../packages/siem-export/src/routes-file/schema.ts';

/** `docs/routes.schema.json`: made from the schemas of routes and sinks, so that it cannot say anything else. */
export function routesSchemaText(): string {
  return `${JSON.stringify(routesFileSchema(), null, 2)}\n`;
}
