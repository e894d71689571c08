/** An external signer that signs for two requests at once, and for none alone, while `SIGNER_WAITS_FOR_TWO` is set. */
import type { Signer } from '../../src/keys/signer.ts';
import { createSigner as createOther } from './signer-that-fails.ts';

export function createSigner(): Signer {
  const signer = createOther();
  let waiting: (() => void)[] = [];

  async function forTwo(): Promise<void> {
    const both = waiting;
    await new Promise<void>((resolve) => {
      if (both.push(resolve) < 2) return;
      waiting = [];
      for (const goOn of both) goOn();
    });
  }

  return {
    ...signer,
    async sign(...asked) {
      if (process.env['SIGNER_WAITS_FOR_TWO']) await forTwo();
      return signer.sign(...asked);
    },
  };
}
