import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import { wordsOfClient } from '../../clients/client.ts';
import type { Client } from '../../clients/client.ts';
import type { ClientStore } from '../../clients/store.ts';
import { documentCollection } from './documents.ts';
import type { BuildsWords, Fields, Stored } from './documents.ts';

const fields: Fields<Stored<Client>> = {
  _id: String,
  type: { type: String },
  client_name: String,
  redirect_uris: [String],
  post_logout_redirect_uris: [String],
  backchannel_logout_uri: String,
  backchannel_logout_session_required: Boolean,
  frontchannel_logout_uri: String,
  frontchannel_logout_session_required: Boolean,
  scope: String,
  first_party: Boolean,
  default_resource: String,
  resource: String,
  access_token_format: { type: String, default: undefined },
  scope_descriptions: { type: Schema.Types.Mixed, default: undefined },
  access_token_lifetime: { type: Number, default: undefined },
  id_token_lifetime: { type: Number, default: undefined },
  refresh_token_lifetime: { type: Number, default: undefined },
  consent: { type: String, default: undefined },
  allowed_resources: { type: [String], default: undefined },
  id_token_profile_claims: { type: Boolean, default: undefined },
  access_token_signing_alg: { type: String, default: undefined },
  detail_types: { type: Schema.Types.Mixed, default: undefined },
  always_issue_refresh_token: Boolean,
  client_uri: String,
  logo_uri: String,
  policy_uri: String,
  tos_uri: String,
  initiate_login_uri: String,
  theme: String,
  identity_providers: { type: [String], default: undefined },
  default_acr_values: { type: [String], default: undefined },
  id_token_signed_response_alg: String,
  dynamically_registered: { type: Boolean, default: undefined },
  document_name: { type: String, default: undefined },
  protocol: { type: Schema.Types.Mixed, default: undefined },
  secret_hash: String,
  secret_sealed: { type: String, default: undefined },
  secret_facts: { type: Schema.Types.Mixed, default: undefined },
  earlier_secret: { type: Schema.Types.Mixed, default: undefined },
  created_at: String,
  updated_at: String,
  version: Number,
};

export function clientStore(connection: Connection): ClientStore & BuildsWords {
  const {
    insert,
    find,
    findByUnique,
    update,
    delete: remove,
    list,
    search,
    buildWords,
  } = documentCollection<Client>(connection, {
    name: 'Client',
    collection: 'clients',
    fields,
    uniqueField: 'resource',
    taken: { message: 'the client id or resource identifier is taken', field: 'resource' },
    wordsOf: wordsOfClient,
  });
  return { insert, find, findByResource: findByUnique, update, delete: remove, list, search, buildWords };
}
