/**
 * Writes src/api/generated: types and Zod schemas of what the BFF answers, from its OpenAPI description.
 *
 * The description is the snapshot that the BFF's own contract test holds equal to the server. Whole numbers
 * stay JSON numbers: every one that the API tells is below 2^53.
 */

import { existsSync, readFileSync, statSync } from 'node:fs';

import { createClient } from '@hey-api/openapi-ts';

const SNAPSHOT = new URL('../tests/bff/snapshots/bff__contract__openapi.snap', import.meta.url);
const FOLDER = new URL('src/api/generated/', import.meta.url);

const made = new URL('zod.gen.ts', FOLDER);
const changed = Math.max(statSync(SNAPSHOT).mtimeMs, statSync(new URL(import.meta.url)).mtimeMs);
if (!existsSync(made) || statSync(made).mtimeMs < changed) {
  const [, , ...body] = readFileSync(SNAPSHOT, 'utf8').split(/^---$/m);
  const description = JSON.parse(body.join('---'), (key, value) =>
    key === 'format' && /^u?int\d+$/.test(value) ? undefined : value,
  );
  // Schemas of operations repeat those of what they carry.
  await createClient({
    input: description,
    output: { path: FOLDER.pathname, entryFile: false },
    logs: { level: 'warn' },
    plugins: ['@hey-api/typescript', { name: 'zod', requests: false, responses: false, dates: { offset: true } }],
  });
}
