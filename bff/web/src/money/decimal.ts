/**
 * Exact decimals: an amount is a bigint count of 1/10000, the scale of the database's numeric(20,4).
 *
 * Prices arrive as JSON numbers. A double prints as the shortest decimal that reads back the same,
 * so up to 15 significant digits the text of the number is the decimal the server wrote; from there
 * on all arithmetic is on integers.
 */

/** An amount in KRW as a count of 1/10000. */
export type Units = bigint;

/** Decimal places of {@link Units}. */
export const PLACES = 4;

/** One won in {@link Units}. */
export const WON: Units = 10_000n;

/** Returns `numerator / denominator` rounded half to even. The denominator must not be zero. */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  if (denominator < 0n) return divideHalfEven(-numerator, -denominator);
  const negative = numerator < 0n;
  const magnitude = negative ? -numerator : numerator;
  const quotient = magnitude / denominator;
  const twice = (magnitude % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  const rounded = up ? quotient + 1n : quotient;
  return negative ? -rounded : rounded;
}

/**
 * Returns `value` as a count of 10^-places, half to even where it has more places.
 * Null for what is not a finite number.
 */
export function scaled(value: number | null | undefined, places: number): bigint | null {
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (match === null) return null;
  const [, sign, whole = '0', fraction = '', exponent = '0'] = match;
  const digits = BigInt(whole + fraction);
  const shift = places - fraction.length + Number(exponent);
  const magnitude =
    shift >= 0 ? digits * 10n ** BigInt(shift) : divideHalfEven(digits, 10n ** BigInt(-shift));
  return sign === '-' ? -magnitude : magnitude;
}

/** Returns a price or an amount of the API in {@link Units}, null if it is not a number. */
export function unitsOf(value: number | null | undefined): Units | null {
  return scaled(value, PLACES);
}
