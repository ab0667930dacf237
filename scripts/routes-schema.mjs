import { writeFile } from 'node:fs/promises';
import { routesSchemaText } from '../test/docs/routes-schema.ts';

// `npm run routes-schema`: writes the JSON schema of the file of routes anew, after a sink or a route was changed.
await writeFile(new URL('../docs/routes.schema.json', import.meta.url), routesSchemaText());
