/** What an authorization request asks of the strength of a sign-in: `acr_values`, `claims` with an essential `acr`, the client's default. */
import type { Asked } from '../factors/levels.ts';

interface AcrClaim {
  essential?: unknown;
  value?: unknown;
  values?: unknown;
}

const words = (text: unknown): string[] => (typeof text === 'string' ? text.split(' ').filter(Boolean) : []);
const isText = (value: unknown): value is string => typeof value === 'string';

/** The `acr` that a `claims` parameter asks for in the ID token. */
function acrClaim(claims: unknown): AcrClaim | null {
  if (typeof claims !== 'string') return null;
  try {
    const parsed = JSON.parse(claims) as { id_token?: { acr?: AcrClaim | null } } | null;
    return parsed?.id_token?.acr ?? null;
  } catch {
    return null; // the library says what is wrong with it
  }
}

export function askedOf(
  params: Record<string, unknown>,
  client: { defaultAcrValues?: readonly string[] | undefined },
): Asked {
  const claim = acrClaim(params['claims']);
  const values = [claim?.value, claim?.values].flat().filter(isText);
  const essential = claim?.essential === true && values.length > 0;
  return {
    acr_values: [...words(params['acr_values']), ...(essential ? [] : values)],
    ...(essential ? { essential: values } : {}),
    default_acr_values: client.defaultAcrValues ?? [],
  };
}

/** The values one of which the ID token should have: those that are insisted on before those that are wished for. */
export const acrsAsked = ({ essential, acr_values, default_acr_values }: Asked): readonly string[] =>
  essential ?? [...acr_values, ...default_acr_values];
