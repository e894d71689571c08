import { InvalidArgumentError } from 'commander';

/** Reads a whole number of an option, such as `--expires-in 3600`. */
export const wholeFrom =
  (least: number) =>
  (value: string): number => {
    const number = value.trim() === '' ? NaN : Number(value);
    if (!Number.isSafeInteger(number) || number < least)
      throw new InvalidArgumentError(`Give a whole number from ${least}.`);
    return number;
  };
