/** Runs a call many times at once. @returns what fulfilled and why the others did not. */
export async function atOnce<T>(
  count: number,
  call: (index: number) => Promise<T>,
): Promise<{ values: T[]; errors: unknown[] }> {
  const results = await Promise.allSettled(Array.from({ length: count }, (_, index) => call(index)));
  return {
    values: results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
    errors: results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : [])),
  };
}

/** How many of many calls at once got true; none may fail. */
export async function winners(count: number, call: (index: number) => Promise<boolean>): Promise<number> {
  const { values, errors } = await atOnce(count, call);
  if (errors.length > 0) throw new AggregateError(errors, 'a call failed');
  return values.filter(Boolean).length;
}
