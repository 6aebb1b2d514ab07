'use client';

import { useState } from 'react';
import type { z } from 'zod';

import { usePages, type Pages } from '../api/hooks';
import { LOOK_EVERY_MS } from './metrics';

/** A list from a table that is not followed: looked at often, and less often the more pages of it are open. */
export function useFollowedPages<T>(path: string | null, row: z.ZodType<T>): Pages<T> {
  const [opened, setOpened] = useState({ path, pages: 1 });
  const pages = opened.path === path ? opened.pages : 1;
  const list = usePages(path, row, { everyMs: LOOK_EVERY_MS * pages });
  return {
    ...list,
    more: () => {
      setOpened({ path, pages: pages + 1 });
      list.more();
    },
  };
}
