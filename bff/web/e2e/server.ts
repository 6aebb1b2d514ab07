/** A server of the API and the app, beside the one under test and on the same stores, to be stopped and started. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where the program looks for the built app. */
const CHECKOUT = resolve(import.meta.dirname, '../../..');
const UP_MAX_MS = 30_000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export class Server {
  private process: ChildProcess | null = null;
  private said = '';

  private constructor(
    private readonly folder: string,
    readonly url: string,
  ) {}

  /** Returns one that does not run yet. */
  static async make(): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), 'turnstile-bff-'));
    const address = `127.0.0.1:${await freePort()}`;
    await writeFile(join(folder, 'bff.toml'), `[bff]\nlisten = "${address}"\n`);
    return new Server(folder, `http://${address}`);
  }

  /** Starts it and waits until it answers. */
  async start(): Promise<void> {
    const program = process.env.TURNSTILE_PROGRAM ?? 'turnstile';
    const started = spawn(program, ['--config', join(this.folder, 'bff.toml'), 'bff'], {
      cwd: CHECKOUT,
      env: { ...process.env, RUST_LOG: 'warn' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.process = started;
    started.stderr.on('data', (data: Buffer) => (this.said += data.toString()));
    const deadline = Date.now() + UP_MAX_MS;
    while (!(await this.answers())) {
      if (started.exitCode !== null || Date.now() > deadline) throw new Error(`the server does not come up:\n${this.said}`);
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  /** Stops it and waits until it is gone. */
  async stop(): Promise<void> {
    const running = this.process;
    this.process = null;
    if (running === null || running.exitCode !== null) return;
    running.kill('SIGINT');
    await once(running, 'exit');
  }

  /** Stops it for good. */
  async end(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async answers(): Promise<boolean> {
    return fetch(`${this.url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}
