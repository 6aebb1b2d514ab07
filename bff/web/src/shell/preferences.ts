/** What a user likes: kept in the browser, shown on `<html>` before the first paint. */

import { useSyncExternalStore } from 'react';

import { KEY } from './begin';

export type Language = 'en' | 'ko';
export type Theme = 'dark' | 'light';
/** `korean`: red is up, blue is down. `western`: green is up, red is down. */
export type Colours = 'korean' | 'western';

export interface Preferences {
  language: Language;
  theme: Theme;
  colours: Colours;
}


const DEFAULT: Preferences = { language: 'en', theme: 'dark', colours: 'korean' };

const listeners = new Set<() => void>();
let now: Preferences | null = null;

function read(): Preferences {
  if (now !== null) return now;
  if (typeof document === 'undefined') return DEFAULT;
  const { lang, dataset } = document.documentElement;
  now = {
    language: lang === 'ko' ? 'ko' : 'en',
    theme: dataset.theme === 'light' ? 'light' : 'dark',
    colours: dataset.colours === 'western' ? 'western' : 'korean',
  };
  return now;
}

/** Changes some of them, here and for the next visit. */
export function prefer(change: Partial<Preferences>): void {
  now = { ...read(), ...change };
  const root = document.documentElement;
  root.lang = now.language;
  root.dataset.theme = now.theme;
  root.dataset.colours = now.colours;
  window.localStorage.setItem(KEY, JSON.stringify(now));
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, read, () => DEFAULT);
}
