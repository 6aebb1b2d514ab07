/**
 * What a browser loads of scripts before a page of the export works, compressed; fails above the limit.
 * Chunks that a page asks for later, and those of browsers without modules, are not part of it.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const OUT = join(import.meta.dirname, 'out');
const LIMIT = 300_000;

const sizes = new Map();
function sizeOf(script) {
  if (!sizes.has(script)) sizes.set(script, gzipSync(readFileSync(join(OUT, script))).length);
  return sizes.get(script);
}

function scriptsOf(page) {
  const html = readFileSync(page, 'utf8').replace(/<script[^>]*nomodule[^>]*>/gi, '');
  // Tags, and what the data of the page names for its components.
  return new Set(html.match(/_next\/static\/[\w./~-]+\.js/g));
}

const pages = readdirSync(OUT, { recursive: true }).filter((name) => name.endsWith('index.html') && !name.startsWith('explorer'));
const totals = pages.sort().map((name) => {
  const bytes = [...scriptsOf(join(OUT, name))].reduce((sum, script) => sum + sizeOf(script), 0);
  return [`/${name.slice(0, -'index.html'.length)}`, bytes];
});
const inKb = (bytes) => `${Math.round(bytes / 1000)} kB`;
console.log(`web: scripts of the first load: ${totals.map(([path, bytes]) => `${path} ${inKb(bytes)}`).join(', ')}`);
const heavy = totals.filter(([, bytes]) => bytes > LIMIT);
if (totals.length === 0 || heavy.length > 0) {
  console.error(`web: more than ${inKb(LIMIT)}: ${heavy.map(([path]) => path).join(', ') || 'no page was built'}`);
  process.exit(1);
}
