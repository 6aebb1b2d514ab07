'use client';

import { texts, useText } from '../text/text';
import type { FiguresRead } from './metrics';

const TEXT = texts(
  { empty: 'No process has told its figures yet. They are kept every few seconds while the stream job runs.' },
  { empty: '아직 기록된 지표가 없습니다. 스트림 작업이 실행되는 동안 몇 초마다 기록됩니다.' },
);

/** The state of a panel that shows figures of the processes. */
export function useFiguresState({ figures, isLoading }: FiguresRead): {
  isLoading: boolean;
  empty: string | null;
} {
  const text = useText(TEXT);
  return { isLoading, empty: !isLoading && figures.isEmpty ? text.empty : null };
}
