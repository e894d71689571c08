/**
 * Another process on the same store: `node child.ts <command> <url>`. It says `ready`, waits for a line on its input so that
 * several begin at once, and says one line of JSON per thing done. Run by `children.ts`.
 */
import { writeSync } from 'node:fs';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { epochSeconds } from '../../../src/kernel/clock.ts';
import { openStorage } from '../../../src/storage/open.ts';
import { aClient, aConsent, aMail, anAccount, aRecord } from '../contract/samples.ts';

const [command, url] = process.argv.slice(2) as [string, string];
// Straight to the pipe: what was said before a SIGKILL is read.
const say = (value: unknown) => void writeSync(1, `${JSON.stringify(value)}\n`);

const COMMANDS: Record<string, () => Promise<void>> = {
  async open() {
    const storage = await openStorage(url);
    await storage.accounts.insert(anAccount());
    await storage.close();
    say('opened');
  },

  /** Consumes `code-0` to `code-49`, which others do too. */
  async consume() {
    const storage = await openStorage(url);
    const won: string[] = [];
    for (let index = 0; index < 50; index += 1) {
      if (await storage.protocol.consume(`code-${index}`, 1_700_000_000)) won.push(`code-${index}`);
    }
    say(won);
    await storage.close();
  },

  /** Sends the mails that are due, as others do too: without the lease, which would leave it all to one. */
  async send() {
    const { outbox, close } = await openStorage(url);
    const sent: string[] = [];
    const now = epochSeconds() + 60;
    for (;;) {
      const mail = await outbox.claim(now, now + 60);
      if (!mail) break;
      if (await outbox.settle(mail.id, mail.attempts, { state: 'sent', settled_at: now })) sent.push(mail.id);
    }
    say(sent);
    await close();
  },

  /** Changes the account and the record `followed` and says how often it has; once more for each line on its input. */
  async change() {
    const { accounts, protocol, close } = await openStorage(url);
    for (let times = 1; times <= 20; times += 1) {
      const account = (await accounts.find('followed'))!;
      await accounts.update({ ...account, name: String(times) }, { durable: times % 2 === 0 });
      await protocol.upsert(aRecord({ key: 'followed', sealed: Buffer.of(times) }));
      say(times);
      await once(process.stdin, 'data');
    }
    await close();
  },

  /** Writes until it is killed, saying each thing as soon as its promise resolves. */
  async write() {
    const { accounts, clients, consents, protocol, outbox } = await openStorage(url);
    for (;;) {
      const [account, client, record] = [anAccount(), aClient(), aRecord()];
      await accounts.insert(account);
      say({ account: account.id });
      await clients.insert(client);
      say({ client: client.id });
      await consents.put(aConsent({ account_id: account.id, client_id: client.id }));
      say({ consent: [account.id, client.id] });
      await protocol.upsert(record);
      say({ record: record.key });
      await protocol.consume(record.key, 1_700_000_000);
      say({ consumed: record.key });
      const mail = aMail();
      await outbox.insert(mail);
      say({ mail: mail.id });
      const now = epochSeconds();
      const { id, attempts } = (await outbox.claim(now, now + 60))!;
      await outbox.settle(id, attempts, { state: 'sent', settled_at: now });
      say({ sent: id });
    }
  },

  /** Holds the write lock of an SQLite file until it is told to let go. */
  async lock() {
    const database = new DatabaseSync(url.slice('sqlite:'.length));
    database.exec('BEGIN IMMEDIATE');
    say('locked');
    await Promise.race([once(process.stdin, 'data'), wait(15_000, undefined, { ref: false })]);
    database.exec('COMMIT');
    database.close();
    say('released');
  },
};

say('ready');
await once(process.stdin, 'data');
await COMMANDS[command]!();
process.stdin.destroy();
