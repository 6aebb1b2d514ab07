const AMOUNT = /^\d{1,15}(\.\d{1,4})?$/;

/** Returns the price that was typed, null where none was, undefined where it is no amount above zero. */
export function typedPrice(text: string): number | null | undefined {
  const plain = text.replaceAll(',', '').trim();
  if (plain === '') return null;
  if (!AMOUNT.test(plain)) return undefined;
  const price = Number(plain);
  return price > 0 ? price : undefined;
}
