/** Keys that make a request known again, so that one sent twice is one. */

/** Returns a new key. `crypto.randomUUID` is missing where a desk is served without TLS. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
