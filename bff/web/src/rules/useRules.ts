/** The rules of the server, all of them, and saving one. */

import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

import { useActor } from '../access/context';
import { zExitRule } from '../api/generated/zod.gen';
import { useChange, usePages, type Change } from '../api/hooks';
import type { Fault } from '../api/request';
import { bodyOf, type Draft, type ExitRule } from './draft';

const PATH = '/api/v1/exit-rules';
const LIST = `${PATH}?limit=100`;
export const RULE_TABLES = ['trade.exit_rules'];

export interface RuleList {
  rules: readonly ExitRule[] | undefined;
  fault: Fault | null;
  isLoading: boolean;
  retry: () => void;
}

/** Reads every rule; the list follows their table. */
export function useRules(): RuleList {
  const pages = usePages(LIST, zExitRule, { tables: RULE_TABLES });
  const { hasMore, isLoadingMore, more, data, fault } = pages;
  useEffect(() => {
    if (hasMore && !isLoadingMore && fault === null) more();
  }, [hasMore, isLoadingMore, more, fault]);
  return { rules: data, fault, isLoading: pages.isLoading, retry: pages.retry };
}

type Stored = InfiniteData<{ rows: ExitRule[]; nextCursor: string | null }>;

function settle(client: QueryClient, rule: ExitRule): void {
  client.setQueryData<Stored>(['api', LIST, 'pages'], (before) => {
    if (before === undefined) return before;
    const isKnown = before.pages.some(({ rows }) => rows.some(({ rule_id }) => rule_id === rule.rule_id));
    const pages = before.pages.map((page, at) => ({
      ...page,
      rows: isKnown
        ? page.rows.map((row) => (row.rule_id === rule.rule_id ? rule : row))
        : at === before.pages.length - 1
          ? [...page.rows, rule]
          : page.rows,
    }));
    return { ...before, pages };
  });
}

export interface Save {
  draft: Draft;
  reason: string;
}

/** Saves a rule from the version that its draft was made from. */
export function useSave(saved: (rule: ExitRule, draft: Draft) => void, done: (rule: ExitRule) => string): Change<Save, ExitRule> {
  const actor = useActor('updated_by');
  return useChange<Save, ExitRule>(
    'PUT',
    ({ draft }) => `${PATH}/${encodeURIComponent(draft.ruleId)}`,
    zExitRule,
    {
      settled: (rule, { draft }, client) => {
        settle(client, rule);
        saved(rule, draft);
      },
      rereads: [PATH],
      done,
      isQuiet: true,
    },
    ({ draft, reason }) => ({ ...bodyOf(draft, reason), ...actor }),
  );
}
