const ROLE = /^[\w.:-]{1,100}$/;

/** Whether `name` may name a role. */
export const isRole = (name: string): boolean => ROLE.test(name);
/** Who has it may use the console and, with the scopes for it, the admin API. */
export const ADMIN_ROLE = 'admin';

export const isAdmin = ({ roles }: { roles: string[] }): boolean => roles.includes(ADMIN_ROLE);

const GROUP = /^[\p{L}\p{N}_.:-]{1,100}$/u;

/** Whether `name` may name a group of people. */
export const isGroup = (name: string): boolean => GROUP.test(name) && name === name.normalize('NFC');
