/** A command has said all there is to say, and ends with this code. */
export class Ended extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`ended with ${code}`);
    this.name = 'Ended';
    this.code = code;
  }
}
