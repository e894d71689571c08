/** Child processes of the run: each ends with it, by its own id, whatever ends the run. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

const READY_WITHIN_MS = 180_000;
const PATIENCE_MS = 5000;
const KEPT_STDERR = 4000;

const running = new Set<ChildProcess>();
const folders = new Set<string>();

/** Removes `folder` when the run ends, however it ends. */
export const removeAtExit = (folder: string) => void folders.add(folder);

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

export interface Child {
  pid: number;
  /** From spawning to the line that matched, in milliseconds. */
  readyMs: number;
  stop(): Promise<void>;
}

/** @param ready matches the line on standard output that says the child is ready. @throws Error when it ends before. */
export async function startChild(args: string[], env: Record<string, string>, ready: RegExp): Promise<Child> {
  const started = performance.now();
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, args, { env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const gone = once(child, 'exit').then(() => running.delete(child));
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-KEPT_STDERR);
  });
  await new Promise<void>((resolve, reject) => {
    const impatience = setTimeout(() => reject(new Error(`${args[0]} is not ready: ${stderr}`)), READY_WITHIN_MS);
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout = (stdout + chunk.toString()).slice(-KEPT_STDERR);
      if (!ready.test(stdout)) return;
      clearTimeout(impatience);
      resolve();
    });
    void gone.then(() => reject(new Error(`${args[0]} ended: ${stderr}`)));
  });
  return {
    pid: child.pid!,
    readyMs: performance.now() - started,
    async stop() {
      child.kill('SIGTERM');
      const impatience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      await gone;
      clearTimeout(impatience);
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
