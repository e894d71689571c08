import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

export interface Child {
  /** The next thing it says. */
  next(): Promise<unknown>;
  /** Lets it begin, or go on. */
  go(): void;
  /** SIGKILL. @returns what it had said and nobody had read. */
  kill(): Promise<unknown[]>;
  /** Resolves when it has ended by itself. */
  ended(): Promise<void>;
}

const PROGRAM = path.join(import.meta.dirname, 'child.ts');

/** Starts another process on the store at `url`; it waits for `go`. */
export async function startChild(command: string, url: string): Promise<Child> {
  const child = spawn(process.execPath, [PROGRAM, command, url], { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const line = await lines.next();
    if (line.done) throw new Error(`the child that was to ${command} ended before it was to`);
    return JSON.parse(line.value) as unknown;
  };

  await next();
  return {
    next,
    go: () => void child.stdin.write('go\n'),
    async kill() {
      child.kill('SIGKILL');
      const unread: unknown[] = [];
      for (let line = await lines.next(); !line.done; line = await lines.next()) unread.push(JSON.parse(line.value));
      await closed;
      return unread;
    },
    ended: async () => void (await closed),
  };
}

/** Starts several, lets them begin at once. @returns the one thing each says. */
export async function allAtOnce(count: number, command: string, url: string): Promise<unknown[]> {
  const children = await Promise.all(Array.from({ length: count }, () => startChild(command, url)));
  for (const child of children) child.go();
  const said = await Promise.all(children.map((child) => child.next()));
  await Promise.all(children.map((child) => child.ended()));
  return said;
}
