/** What second factors an account has: what the dispatcher, the person's page and the commands ask. */

/** Without secrets. */
export interface FactorSummary {
  totp: boolean;
  passkeys: number;
  recovery_codes_left: number;
}

export interface Factors {
  of(accountId: string): Promise<FactorSummary>;
}
