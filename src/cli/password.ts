import { text } from 'node:stream/consumers';
import { invalidInput } from '../kernel/errors.ts';

/** The password on standard input, its final line break taken off. A command line would show it to everybody on the machine. */
export async function passwordFromStdin(): Promise<string> {
  const password = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (password === '') throw invalidInput('standard input holds no password', 'password');
  return password;
}
