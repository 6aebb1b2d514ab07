/**
 * The app as it is written, against a running Turnstile: pages from Next.js, everything else from the BFF.
 *
 *   npm run dev -- http://127.0.0.1:8099        then open http://127.0.0.1:3000
 *
 * Both are reached under one address, and the BFF sees its own in each request, as it wants.
 */

import { spawn } from 'node:child_process';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';

const backend = new URL(process.argv[2] ?? 'http://127.0.0.1:8099');
const port = Number(process.env.PORT ?? 3000);
const pages = new URL(`http://127.0.0.1:${port + 1}`);

const next = spawn('npx', ['next', 'dev', '--port', pages.port, '--hostname', pages.hostname], {
  stdio: 'inherit',
  env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    next.kill(signal);
    process.exit(0);
  });
}

const isOfBackend = (path) => /^\/(api|ws|health)(\/|\?|$)/.test(path);

function headersFor(target, headers) {
  const origin = headers.origin === undefined ? {} : { origin: target.origin };
  return { ...headers, host: target.host, ...origin };
}

const server = createServer((from, to) => {
  const target = isOfBackend(from.url) ? backend : pages;
  const headers = headersFor(target, from.headers);
  const asked = request(new URL(from.url, target), { method: from.method, headers }, (answer) => {
    to.writeHead(answer.statusCode, answer.headers);
    answer.pipe(to);
  });
  asked.on('error', (error) => {
    if (!to.headersSent) to.writeHead(502, { 'content-type': 'text/plain' });
    to.end(String(error));
  });
  from.pipe(asked);
});

server.on('upgrade', (from, socket, head) => {
  const target = isOfBackend(from.url) ? backend : pages;
  const headers = Object.entries(headersFor(target, from.headers)).map(([name, value]) => `${name}: ${value}`);
  const there = connect(Number(target.port), target.hostname, () => {
    there.write(`${from.method} ${from.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
    there.write(head);
    there.pipe(socket).pipe(there);
  });
  for (const [one, other] of [[there, socket], [socket, there]]) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
});

server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port} with the API of ${backend.origin}`));
