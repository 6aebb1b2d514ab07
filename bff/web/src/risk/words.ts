import { texts } from '../text/text';

/** Names of checks, levels and profiles, for every part of the page. */
export const RISK_TEXT = texts(
  {
    EMERGENCY_STOP: 'Emergency stop',
    LIMITS: 'Limits known',
    TOTAL_POSITIONS: 'Positions',
    SINGLE_WEIGHT: 'Single name',
    SECTOR_WEIGHT: 'Sector',
    MARKET_WEIGHT: 'Market',
    DAILY_LOSS: 'Loss of the day',
    TOTAL_LOSS: 'Loss of the month',
    GREEN: 'Green',
    YELLOW: 'Yellow',
    ORANGE: 'Orange',
    RED: 'Red',
    DEFAULT: 'Default',
    CONSERVATIVE: 'Conservative',
    AGGRESSIVE: 'Aggressive',
  },
  {
    EMERGENCY_STOP: '비상 정지',
    LIMITS: '한도 확인',
    TOTAL_POSITIONS: '보유 종목 수',
    SINGLE_WEIGHT: '종목 비중',
    SECTOR_WEIGHT: '섹터 비중',
    MARKET_WEIGHT: '시장 비중',
    DAILY_LOSS: '일 손실',
    TOTAL_LOSS: '월 손실',
    GREEN: '안전',
    YELLOW: '주의',
    ORANGE: '경계',
    RED: '위험',
    DEFAULT: '기본',
    CONSERVATIVE: '보수형',
    AGGRESSIVE: '공격형',
  },
);

type Words = (typeof RISK_TEXT)['en'];

/** Returns what is said for `name`; a name of a later server as it is. */
export function said(words: Words, name: string): string {
  return (words as Readonly<Record<string, string>>)[name] ?? name;
}
