'use client';

import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';

import { useAccess } from '../access/context';
import { zRunRequest } from '../api/generated/zod.gen';
import { readOnce } from '../api/hooks';
import { json } from '../api/request';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Tag } from '../ui/Tag';
import { BUSY_MS, RUNS_PATH, STAGE_TEXT, wordOf } from './names';
import type { AskedRun, RunRequest } from './RunNow';
import type { StrategyRun } from './runs';
import css from './RunProgress.module.css';

const TEXT = texts(
  {
    asked: 'The run is asked for and waits for its turn.',
    running: (stage: string) => `The run is under way: ${stage}.`,
    done: 'The run is done.',
    refused: 'The run was refused:',
    failed: 'The run failed:',
    dismiss: 'Dismiss',
  },
  {
    asked: '실행을 요청했습니다. 차례를 기다리는 중입니다.',
    running: (stage: string) => `실행 중: ${stage}`,
    done: '실행을 마쳤습니다.',
    refused: '실행이 거부되었습니다:',
    failed: '실행에 실패했습니다:',
    dismiss: '닫기',
  },
);

/** Whether nothing more becomes of a request. */
function isOver(request: RunRequest | undefined): boolean {
  return request !== undefined && request.state !== 'ASKED' && request.state !== 'RUNNING';
}

interface RunProgressProps {
  asked: AskedRun;
  /** The newest run. */
  run: StrategyRun | undefined;
  onOver: () => void;
  onDismiss: () => void;
}

/** What becomes of a run that was asked for: the same request, sent again, says so. */
export function RunProgress({ asked, run, onOver, onDismiss }: RunProgressProps) {
  const text = useText(TEXT);
  const stages = useText(STAGE_TEXT);
  const access = useAccess();
  const { data: request } = useQuery({
    queryKey: ['run-request', asked.idempotency_key],
    queryFn: () => readOnce(access.fetch, RUNS_PATH, zRunRequest, json('POST', asked)),
    refetchInterval: (query) => (isOver(query.state.data) ? false : BUSY_MS),
  });
  const state = request?.state ?? 'ASKED';
  const isDone = isOver(request);
  useEffect(() => {
    if (isDone) onOver();
  }, [isDone, onOver]);
  const stage = wordOf(stages, (run?.state === 'RUNNING' ? run.stage : null) ?? 'LOAD');
  const said = { RUNNING: text.running(stage), DONE: text.done, REFUSED: text.refused, FAILED: text.failed }[state] ?? text.asked;
  return (
    <div className={css.progress} data-state={state} role="status" data-testid="run-progress">
      <Tag>{state}</Tag>
      <span className={css.said}>
        {said} {request?.message}
      </span>
      {isDone && (
        <Button size="small" kind="quiet" onClick={onDismiss}>
          {text.dismiss}
        </Button>
      )}
    </div>
  );
}
