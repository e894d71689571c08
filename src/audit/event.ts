/**
 * Audit: what happened, when, from where, by whom and to whom. This room owns the records, the chain that shows that none was
 * altered, and how long they are kept; who may read which it leaves to those who show them. A record holds no secret, no e-mail
 * address and only part of a network address.
 */
export const EVENT_TYPES = [
  'sign_in',
  'wrong_password',
  'sign_out',
  'session_ended',
  'sessions_ended',
  'profile_changed',
  'email_change_asked',
  'email_changed',
  'email_restored',
  'password_changed',
  'password_reset',
  'password_reset_mailed',
  'password_change_demanded',
  'password_change_waived',
  'provider_connected',
  'provider_disconnected',
  'passkey_added',
  'passkey_removed',
  'passkey_renamed',
  'passkey_copied',
  'totp_added',
  'totp_removed',
  'recovery_codes_renewed',
  'recovery_code_used',
  'device_forgotten',
  'devices_forgotten',
  'app_allowed',
  'app_withdrawn',
  'request_approved',
  'request_denied',
  'token_reused',
  'data_downloaded',
  'deletion_asked',
  'deletion_cancelled',
  'suspended',
  'resumed',
  'factors_reset',
  'account_created',
  'account_claimed',
  'invitation_accepted',
  'account_changed',
  'unlocked',
  'erased',
] as const;
/** What happens to a person: they can read it on their page. */
export type EventType = (typeof EVENT_TYPES)[number];

/** What happens to anything else. */
export const ACT_TYPES = [
  'client_registered',
  'client_changed',
  'client_secret_rotated',
  'client_secret_added',
  'client_secret_revoked',
  'client_deleted',
  'client_denied',
  'client_allowed',
  'provider_added',
  'provider_changed',
  'provider_removed',
  'settings_changed',
  'admin_link_made',
  'person_invited',
  'invitation_sent_again',
  'invitation_revoked',
  'people_imported',
  'people_exported',
  'signing_keys_published',
  'signing_keys_removed',
  'encryption_key_replaced',
  'records_removed',
  'role_created',
  'role_changed',
  'role_deleted',
  'group_created',
  'group_changed',
  'group_deleted',
  'claims_changed',
  'request_refused',
  'token_issued',
  'token_refreshed',
  'token_revoked',
] as const;
export type ActType = (typeof ACT_TYPES)[number];

export type Actor = 'person' | 'admin' | 'system';

/** Who did it. `operator`: whoever runs commands on the machine. */
export type By = 'person' | 'admin' | 'client' | 'operator' | 'system';
export type TargetKind = 'person' | 'client' | 'role' | 'group' | 'system';

/** A record as admins read it: people by their account id, or once they are erased by the pseudonym that is left of them. */
export interface AuditEntry {
  seq: number;
  id: string;
  at: string;
  type: EventType | ActType;
  actor: { kind: By; id: string | null };
  target: { kind: TargetKind; id: string | null };
  network: string | null;
  device: string | null;
  detail: Record<string, string>;
  /** Ties it to a request and its line of the log. */
  reference: string | null;
}

export interface AuditEvent {
  id: string;
  type: EventType;
  /** The account it happened to; after its erasure a pseudonym. */
  account_id: string;
  actor: Actor;
  /** The network it came from, such as `203.0.113.0/24`; null where nobody's browser was in it. */
  network: string | null;
  /** Such as `Firefox, Windows`. */
  device: string | null;
  /** What of it is particular, by names such as `client_id`, `provider` and `passkey`. */
  detail: Record<string, string>;
  created_at: string;
}
