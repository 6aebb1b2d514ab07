/** Puts the files of the API explorer beside its page, so that the export needs nothing from outside. */

import { copyFile } from 'node:fs/promises';

for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js']) {
  await copyFile(`node_modules/swagger-ui-dist/${name}`, `public/explorer/${name}`);
}
