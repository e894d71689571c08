/** What both servers know alike: the same clients, the same API, the same people. */
export interface App {
  client_id: string;
  client_secret: string;
}

export interface Person {
  sub: string;
  name: string;
  email: string;
  password: string;
}

export interface Fixture {
  /** Client credentials. */
  service: App;
  web: App & { redirect_uri: string };
  /** Identifier of the API whose tokens are JWTs. */
  resource: string;
  people: Person[];
}

/** A server under measurement. */
export interface Target {
  name: 'gatehouse' | 'bare';
  origin: string;
  pid: number;
  fixture: Fixture;
}

export const REDIRECT_URI = 'https://app.example/callback';
export const API_SCOPE = 'read';
/** What a login asks for; `offline_access` brings the refresh token. */
export const LOGIN_SCOPE = 'openid profile email offline_access';
