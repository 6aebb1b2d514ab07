import { texts } from '../text/text';

/** What the lists are called. */
export const LIST_TEXT = texts(
  { watch: 'Watch', candidate: 'Candidates' },
  { watch: '관심', candidate: '매수 후보' },
);
