/** Texts of the app in its languages. Each room keeps its own, so that a page loads only what it shows. */

import { usePreferences, type Language } from '../shell/preferences';

type Texts = Record<string, string | ((...values: never[]) => string)>;

/** The same texts in every language. */
export type Worded<T extends Texts> = Record<Language, T>;

/** Declares the texts of a room. English decides which there are; the compiler wants the others to follow. */
export function texts<T extends Texts>(english: T, korean: { [K in keyof T]: T[K] extends string ? string : T[K] }): Worded<T> {
  return { en: english, ko: korean as T };
}

/** Returns the texts in the language of the user. */
export function useText<T extends Texts>(worded: Worded<T>): T {
  return worded[usePreferences().language];
}
