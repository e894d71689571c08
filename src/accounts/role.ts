const ROLE = /^[\w.:-]{1,100}$/;

/** Whether `name` may name a role. */
export const isRole = (name: string): boolean => ROLE.test(name);
