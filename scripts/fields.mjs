import { writeFile } from 'node:fs/promises';
import { fieldsPage } from '../test/docs/fields-page.ts';

// `npm run fields`: writes the field dictionary anew, after a schema or a format was changed.
await writeFile(new URL('../docs/FIELDS.md', import.meta.url), fieldsPage());
