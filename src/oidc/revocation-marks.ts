/** Access tokens are not stored, so one that is revoked leaves a mark, which lasts as long as the token would have. */
import { epochSeconds } from '../kernel/clock.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';

const KIND = 'RevokedToken';

export const markRevoked = (records: SealedRecords, { jti, exp }: { jti: string; exp: number }): Promise<void> =>
  records.upsert(KIND, jti, {}, Math.max(1, exp - epochSeconds()));

export const isRevoked = async (records: SealedRecords, jti: string): Promise<boolean> =>
  (await records.find(KIND, jti)) !== undefined;
