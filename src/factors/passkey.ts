/** A passkey: a key pair of which we hold the public half (Web Authentication Level 3). What is stored here opens nothing. */

export interface Passkey {
  /** What the authenticator calls it, in base64url. Unique in the store. */
  credential_id: string;
  account_id: string;
  /** COSE key in base64url. */
  public_key: string;
  /** How often it signed, as last seen; synced passkeys stay at 0. */
  counter: number;
  /** How the authenticator is reached (`internal`, `usb`, `hybrid` …), a hint for browsers. */
  transports: string[];
  /** It may leave the device that made it, for others of the same person. */
  synced: boolean;
  /** It is kept somewhere else too, as last seen. */
  backed_up: boolean;
  /** Model of the authenticator; all zeros where it does not tell. */
  aaguid: string;
  /** What its person calls it. */
  name: string;
  created_at: string;
  last_used_at: string | null;
}

/** Longest name of a passkey. */
export const PASSKEY_NAME_MAX = 60;

/** What its person and admins are shown. */
export function publicPasskey({ credential_id, name, synced, backed_up, created_at, last_used_at }: Passkey) {
  return { id: credential_id, name, synced, backed_up, created_at, last_used_at };
}

/**
 * Who makes which passkeys, by AAGUID: the password managers and systems that most people have, as their makers publish them.
 * Kept small on purpose; a passkey of any other maker is called `Passkey` until its person names it.
 */
const MAKERS: Record<string, string> = {
  'ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4': 'Google Password Manager',
  'fbfc3007-154e-4ecc-8c0b-6e020557d7bd': 'Apple Passwords',
  'dd4ec289-e01d-41c9-bb89-70fa845d4bf2': 'Apple Passwords',
  '08987058-cadc-4b81-b6e1-30de50dcbe96': 'Windows Hello',
  '9ddd1817-af5a-4672-a2b9-3e3dd95000a9': 'Windows Hello',
  '6028b017-b1d4-4c02-b4b3-afcdafc96bb2': 'Windows Hello',
  'adce0002-35bc-c60a-648b-0b25f1f05503': 'Chrome on Mac',
  '771b48fd-d3d4-4f74-9232-fc157ab0507a': 'Edge on Mac',
  '53414d53-554e-4700-0000-000000000000': 'Samsung Pass',
  'bada5566-a7aa-401f-bd96-45619a55120d': '1Password',
  'd548826e-79b4-db40-a3d8-11116f7e8349': 'Bitwarden',
  '531126d6-e717-415c-9320-3d9aa6981239': 'Dashlane',
  '50726f74-6f6e-5061-7373-50726f746f6e': 'Proton Pass',
  'b84e4048-15dc-4dd0-8640-f4f60813c8af': 'NordPass',
  '0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6': 'Keeper',
  'f3809540-7f14-49c1-a8b3-8f813b225541': 'Enpass',
  'fdb141b2-5d84-443e-8a35-4698c205a502': 'KeePassXC',
};

/** What a passkey is called before its person calls it something else. */
export const makerName = (aaguid: string): string => MAKERS[aaguid] ?? 'Passkey';
