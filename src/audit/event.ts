/**
 * Audit: what happened to an account, when, from where and by whom. This room owns the events and how long they are kept; who may
 * read which it leaves to those who show them. An event holds no secret, no e-mail address and only part of a network address.
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
  'provider_connected',
  'provider_disconnected',
  'passkey_added',
  'passkey_removed',
  'passkey_copied',
  'totp_added',
  'totp_removed',
  'recovery_codes_renewed',
  'recovery_code_used',
  'device_forgotten',
  'devices_forgotten',
  'app_allowed',
  'app_withdrawn',
  'token_reused',
  'data_downloaded',
  'deletion_asked',
  'deletion_cancelled',
  'suspended',
  'resumed',
  'factors_reset',
  'erased',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export type Actor = 'person' | 'admin' | 'system';

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
