/** Texts of the page of exits and re-entries that several of its parts use. */

import { texts } from '../text/text';

export const TEXT = texts(
  {
    title: 'Exits & re-entries',
    exits: 'Exits',
    candidates: 'Candidates',
    verdicts: 'Verdicts',
    control: 'Control & limits',
    barred: 'Windows & blacklist',
    stock: 'Stock',
    reason: 'Reason',
    said: 'Kept with the change',
    why: 'Why',
    until: 'Until',
    by: 'By',
    since: 'Since',
    change: 'Change…',
    add: 'Add…',
    edit: 'Edit…',
    remove: 'Remove…',
    all: 'All',
    filter: 'Filter',
    filterHint: 'Name, code, reason',
  },
  {
    title: '청산·재진입',
    exits: '청산',
    candidates: '재진입 후보',
    verdicts: '판정 이력',
    control: '제어·한도',
    barred: '시간대·블랙리스트',
    stock: '종목',
    reason: '사유',
    said: '변경 기록에 남습니다',
    why: '사유',
    until: '종료',
    by: '설정자',
    since: '시작',
    change: '변경…',
    add: '추가…',
    edit: '수정…',
    remove: '삭제…',
    all: '전체',
    filter: '검색',
    filterHint: '종목명, 코드, 사유',
  },
);

/** Longest reason that the server takes, in characters. */
export const REASON_MAX = 500;

/** Returns the height of a table that takes what the parts of its tab, `taken` pixels high, leave of the screen. */
export function heightBeside(taken: number): string {
  return `max(300px, calc(100dvh - ${taken}px - var(--tabs-height)))`;
}
