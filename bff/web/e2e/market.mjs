/**
 * The market of the load test: 300 issues that trade 2,000 times a second, somewhat more than 200 of them held.
 *
 *   node e2e/market.mjs FOLDER     writes FOLDER/market.toml (turnstile run --simulator) and FOLDER/turnstile.toml (--config)
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ISSUES = 300;
/** More than the 200 that are asked for: a few are sold before the test makes the rules wide. */
const HELD = 220;
const TICKS_PER_SECOND = 2_000;

const [folder] = process.argv.slice(2);
const issues = Array.from({ length: ISSUES }, (_, index) => ({
  symbol: String(100_000 + index),
  name: `종목 ${index + 1}`,
  // Spread over the steps of the exchange's price grid.
  close: [4_900, 19_900, 49_000, 98_000, 196_000][index % 5],
}));

const market = `
# As many changes of price as trades.
[path]
kind = "generator"
seed = 7
ticks_per_second = ${TICKS_PER_SECOND}
volatility_ppm = 600
jump_chance_ppm = 0

[limits]
registrations = ${ISSUES + 20}

[[accounts]]
holdings = [
${issues
  .slice(0, HELD)
  .map(({ symbol, close }) => `  { symbol = "${symbol}", qty = 10, avg_price = ${close} },`)
  .join('\n')}
]
${issues
  .map(({ symbol, name, close }) => `\n[[stocks]]\nsymbol = "${symbol}"\nname = "${name}"\nmarket = "KOSPI"\nprev_close = ${close}`)
  .join('\n')}
`;

const program = `
[bff]
requests_per_second = 0

[kis]
registrations_max = ${ISSUES + 20}

[kis.stream]
request_spacing = "2ms"
`;

writeFileSync(join(folder, 'market.toml'), market);
writeFileSync(join(folder, 'turnstile.toml'), program);
