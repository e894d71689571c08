/**
 * Loaded into a server before all else: from the first request whose path ends with `DIES_AT_PATH` on it kills itself just before its write
 * number `DIES_AT_WRITE` to the store, as a power cut or an impatient supervisor would.
 */
import { Server } from 'node:http';
import { StatementSync } from 'node:sqlite';
import { Collection } from 'mongodb';

const { DIES_AT_PATH = '', DIES_AT_WRITE = '1' } = process.env;
let left = Infinity;

function write(): void {
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

function before(prototype: object, names: string[], act: (self: unknown, args: unknown[]) => void): void {
  const methods = prototype as Record<string, Method>;
  for (const name of names) {
    const method = methods[name]!;
    methods[name] = function (...args) {
      act(this, args);
      return method.apply(this, args);
    };
  }
}

before(Server.prototype, ['emit'], (_server, [event, request]) => {
  const { url } = (event === 'request' ? request : {}) as { url?: string };
  if (left === Infinity && url?.endsWith(DIES_AT_PATH)) left = Number(DIES_AT_WRITE);
});
before(StatementSync.prototype, ['run', 'get', 'all'], (statement) => {
  if (/^\s*(insert|update|delete|replace)\b/i.test((statement as StatementSync).sourceSQL)) write();
});
before(
  Collection.prototype,
  ['insertOne', 'insertMany', 'updateOne', 'updateMany', 'replaceOne', 'deleteMany', 'findOneAndUpdate', 'bulkWrite'],
  write,
);
