/** What codes of the engine mean: why an order was made, and how it stands. */

import { texts } from '../text/text';

export const REASON_TEXT = texts(
  {
    FLATTEN: 'Everything is sold: flatten',
    HARDSTOP: 'Hard stop, the last line of defence',
    MANUAL: 'Asked by hand',
    GAP_DOWN: 'Fall against the previous close after the open',
    SL2: 'Second stop loss',
    STOP_FLOOR: 'Stop floor set by the first take-profit',
    SL1: 'First stop loss',
    BREAK_EVEN: 'Return to the cost after a gain',
    CUSTOM: 'Custom rule',
    TRAIL: 'Trailing stop',
    TRAIL_PARTIAL: 'Trailing stop after the second take-profit',
    TP3: 'Third take-profit',
    TP2: 'Second take-profit',
    TP1: 'First take-profit',
    TIME: 'Held too long',
    BROKER: 'Sold by the broker',
    UNKNOWN: 'Cause unknown',
    REENTRY_REBOUND: 'Bought back: rebound from the exit',
    REENTRY_BREAKOUT: 'Bought back: break above the old high',
    REENTRY_CHASE: 'Bought back: momentum',
  },
  {
    FLATTEN: '전량 청산',
    HARDSTOP: '하드스톱 (최종 방어선)',
    MANUAL: '수동 요청',
    GAP_DOWN: '장 시작 후 전일 종가 대비 급락',
    SL2: '2차 손절',
    STOP_FLOOR: '1차 익절 후 스톱 플로어',
    SL1: '1차 손절',
    BREAK_EVEN: '수익 후 본전 복귀',
    CUSTOM: '사용자 규칙',
    TRAIL: '추적 손절',
    TRAIL_PARTIAL: '2차 익절 후 추적 손절',
    TP3: '3차 익절',
    TP2: '2차 익절',
    TP1: '1차 익절',
    TIME: '보유 기간 초과',
    BROKER: '증권사 처분',
    UNKNOWN: '원인 불명',
    REENTRY_REBOUND: '재진입: 청산가 대비 반등',
    REENTRY_BREAKOUT: '재진입: 전고점 돌파',
    REENTRY_CHASE: '재진입: 모멘텀',
  },
);

/** Returns the words for `code`; a code of a later server stands for itself. */
export function worded(words: Record<string, string>, code: string): string {
  return words[code] ?? code.replaceAll('_', ' ');
}

export const STATUS_TEXT = texts(
  {
    NEW: 'Decided, waits to be sent',
    PENDING_APPROVAL: 'Waits for the operator',
    SENDING: 'Being sent to the broker',
    UNKNOWN: 'Outcome unknown, the broker is asked',
    SUBMITTED: 'The broker has it',
    PARTIAL: 'Filled in part',
    FILLED: 'Filled',
    REJECTED: 'Refused',
    CANCELLED: 'Ended without a fill',
    CANCELLED_PARTIAL: 'Ended, filled in part',
    ERROR: 'Given up',
  },
  {
    NEW: '결정됨, 전송 대기',
    PENDING_APPROVAL: '승인 대기',
    SENDING: '증권사로 전송 중',
    UNKNOWN: '결과 미확인, 조회 중',
    SUBMITTED: '증권사 접수',
    PARTIAL: '일부 체결',
    FILLED: '체결 완료',
    REJECTED: '거부됨',
    CANCELLED: '체결 없이 종료',
    CANCELLED_PARTIAL: '일부 체결 후 종료',
    ERROR: '포기됨',
  },
);
