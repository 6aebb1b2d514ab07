/** Numbers of a rule as people type them: exact, because a ratio is moved by its point and never multiplied. */

interface Decimal {
  isNegative: boolean;
  digits: string;
  /** The value is `digits × 10^exponent`. */
  exponent: number;
}

const FORM = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,4}))?$/i;

function decimalOf(text: string): Decimal | null {
  const match = FORM.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole + fraction === '') return null;
  const digits = (whole + fraction).replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  return {
    isNegative: sign === '-' && kept !== '',
    digits: kept,
    exponent: kept === '' ? 0 : Number(exponent) - fraction.length + (digits.length - kept.length),
  };
}

function write({ isNegative, digits, exponent }: Decimal): string {
  if (digits === '') return '0';
  const sign = isNegative ? '-' : '';
  if (exponent >= 0) return sign + digits + '0'.repeat(exponent);
  const padded = digits.padStart(1 - exponent, '0');
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

/** How a number is shown: as it is, or a ratio in percent. */
export type Unit = '%' | '×' | 's' | 'd';

function pointOf(unit: Unit): number {
  return unit === '%' ? 2 : 0;
}

/** Returns a number of a rule as the text of its field, such as `-3` for −0.03 in percent. */
export function textOf(value: number, unit: Unit): string {
  const decimal = Number.isFinite(value) ? decimalOf(String(value)) : null;
  if (decimal === null) return String(value);
  return write({ ...decimal, exponent: decimal.digits === '' ? 0 : decimal.exponent + pointOf(unit) });
}

/**
 * Returns what the text of a field says: a number of a rule, undefined where it says nothing, and the text
 * itself where it is no number, so that the check of the rule finds it.
 */
export function valueOf(text: string, unit: Unit): number | string | undefined {
  const plain = text.trim().replace('−', '-').replace(/\s*%$/, '');
  if (plain === '') return undefined;
  const decimal = decimalOf(plain);
  if (decimal === null) return text;
  const value = Number(write({ ...decimal, exponent: decimal.digits === '' ? 0 : decimal.exponent - pointOf(unit) }));
  return Number.isFinite(value) ? value : text;
}

/** Returns how many decimals a finite number has. */
export function placesOf(value: number): number {
  const decimal = decimalOf(String(value));
  return decimal === null ? 0 : Math.max(0, -decimal.exponent);
}

/** Returns a value as it reads in a sentence: `−3 %`, `2 ×`, with its sign where it is a gain. */
export function shown(value: unknown, unit: Unit, isSigned = false): string {
  if (typeof value !== 'number') return value === undefined ? '–' : JSON.stringify(value);
  const text = textOf(value, unit);
  const signed = text.startsWith('-') ? `−${text.slice(1)}` : isSigned && value > 0 ? `+${text}` : text;
  return `${signed} ${unit}`;
}
