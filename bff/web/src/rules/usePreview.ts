/** What would follow at once if rules were saved: the engine is asked as somebody types. */

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { z } from 'zod';

import { useActor } from '../access/context';
import { useAccess, useMay } from '../access/context';
import { zPreview } from '../api/generated/zod.gen';
import { readOnce } from '../api/hooks';
import { faultOf, json, type ApiError, type Fault } from '../api/request';


/** How long somebody types before the engine is asked. */
const LINGER_MS = 400;

export type Answer = z.infer<typeof zPreview>;

export interface Preview {
  answer: Answer | undefined;
  fault: Fault | null;
  /** The answer is that of another state of the form, or is being asked for. */
  isPending: boolean;
  /** Whether the answer is that of the question as it stands. */
  isCurrent: boolean;
  ask: () => void;
}

/** Asks `question`; null asks nothing. */
export function usePreview(question: object | null): Preview {
  const access = useAccess();
  const isAllowed = useMay('TRADER');
  const actor = useActor('asked_by');
  const text = question === null || !isAllowed ? null : JSON.stringify({ ...question, ...actor });
  const [asked, setAsked] = useState<string | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), LINGER_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const query = useQuery<Answer, ApiError>({
    queryKey: ['exit-rule-preview', asked],
    enabled: asked !== null && text !== null,
    queryFn: () => readOnce(access.fetch, '/api/v1/exit-rules/preview', zPreview, json('POST', JSON.parse(asked ?? '{}'))),
    placeholderData: keepPreviousData,
    // Prices move on: an answer holds for the moment.
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  const isSettled = text !== null && text === asked;
  return {
    answer: text === null ? undefined : query.data,
    fault: !isSettled || query.error === null ? null : faultOf(query.error),
    isPending: text !== null && (!isSettled || query.isFetching),
    isCurrent: isSettled && query.isSuccess && !query.isPlaceholderData && !query.isFetching,
    ask: () => {
      if (asked !== null) void query.refetch();
    },
  };
}
