/** How long what is given out lasts: the `lifetimes` section. */
import { z } from 'zod';
import { seconds } from './values.ts';

export const lifetimes = z.strictObject({
  access_token: seconds(900, 'Life of an access token.'),
  id_token: seconds(3600, 'Life of an ID token.'),
  authorization_code: seconds(60, 'Life of an authorization code.'),
  refresh_token: seconds(604_800, 'Life of a refresh token; each refresh starts it anew.'),
  refresh_token_absolute: seconds(2_592_000, 'End of a chain of refresh tokens, however often it was refreshed.'),
  refresh_token_grace: z.int().min(0).max(60).default(10).meta({
    description:
      'How long a refresh token that was just used gives its one successor again, so that tabs that refresh at once and answers that get lost sign nobody out. 0: not at all. In seconds.',
  }),
  session: seconds(86_400, 'Idle life of a sign-in session; each authorization starts it anew.'),
  interaction: seconds(3600, 'Time a person has to finish signing in.'),
  invitation: seconds(604_800, 'Time a person has to accept an invitation.'),
});
