import type { Command } from 'commander';
import type { KnownDocument } from '../administration/client-documents.ts';
import { every } from './every.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

interface Json {
  json?: boolean;
}

const COLUMNS = ['client_id', 'claimed_name', 'used_at', 'denied_at', 'denied_reason'];

const facts = (all: KnownDocument[]) => all.map((one) => ({ ...one }));

/** `client-document list|deny|allow`. */
export function clientDocumentCommands(program: Command, session: Session, output: Output): void {
  const documents = program
    .command('client-document')
    .description('Apps that sign people in without registration, by a URL as their id (`client_documents.mode`).');

  documents
    .command('list')
    .description('Those that a person allowed, and those that are denied.')
    .option('--json', 'print one JSON document')
    .action((options: Json) =>
      session(async ({ clientDocuments }) =>
        output.many(facts(await every((page) => clientDocuments.list(page))), COLUMNS, options),
      ),
    );

  documents
    .command('deny <client_id>')
    .description('Let nobody sign in to it any more; its tokens and what people allowed it end.')
    .option('--reason <text>', 'for other admins')
    .option('--json', 'print one JSON document')
    .action((client_id: string, { reason, ...options }: Json & { reason?: string }) =>
      session(async ({ clientDocuments }) => {
        await clientDocuments.deny(client_id, reason);
        output.one({ client_id, denied: true }, options);
      }),
    );

  documents
    .command('allow <client_id>')
    .description('Let one that was denied ask people again.')
    .option('--json', 'print one JSON document')
    .action((client_id: string, options: Json) =>
      session(async ({ clientDocuments }) => {
        await clientDocuments.allow(client_id);
        output.one({ client_id, denied: false }, options);
      }),
    );
}
