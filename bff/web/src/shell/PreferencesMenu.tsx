'use client';

import { Settings } from 'lucide-react';
import { Popover } from 'radix-ui';

import { useAdmission } from '../access/context';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Choice } from '../ui/form';
import { prefer, usePreferences } from './preferences';
import css from './PreferencesMenu.module.css';

const TEXT = texts(
  {
    title: 'Preferences',
    language: 'Language',
    theme: 'Theme',
    dark: 'Dark',
    light: 'Light',
    colours: 'Colours',
    korean: 'Red up',
    western: 'Green up',
    signOut: 'Sign out',
    open: 'No token is set up: this machine may do everything.',
    keys: 'Keys: press ?',
  },
  {
    title: '환경 설정',
    language: '언어',
    theme: '테마',
    dark: '어둡게',
    light: '밝게',
    colours: '색상',
    korean: '상승 빨강',
    western: '상승 초록',
    signOut: '로그아웃',
    open: '토큰이 없어 이 컴퓨터에서 모든 작업이 가능합니다.',
    keys: '단축키: ?',
  },
);

/** Language, theme, colours; who uses the page. */
export function PreferencesMenu() {
  const text = useText(TEXT);
  const { language, theme, colours } = usePreferences();
  const { access, session, signedOut } = useAdmission();
  return (
    <Popover.Root>
      <Popover.Trigger className={css.trigger} aria-label={text.title} data-testid="preferences">
        <Settings size={16} aria-hidden="true" />
        {session?.hasToken === true && (
          <span className={css.who} data-testid="who">
            {session.name} · {session.role.toLowerCase()}
          </span>
        )}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className={css.content} align="end" sideOffset={6} aria-label={text.title}>
          <span>{text.language}</span>
          <Choice
            label={text.language}
            at={language}
            onChange={(value) => prefer({ language: value })}
            options={[
              { value: 'ko', label: '한국어' },
              { value: 'en', label: 'English' },
            ]}
          />
          <span>{text.theme}</span>
          <Choice
            label={text.theme}
            at={theme}
            onChange={(value) => prefer({ theme: value })}
            options={[
              { value: 'dark', label: text.dark },
              { value: 'light', label: text.light },
            ]}
          />
          <span>{text.colours}</span>
          <Choice
            label={text.colours}
            at={colours}
            onChange={(value) => prefer({ colours: value })}
            options={[
              { value: 'korean', label: text.korean },
              { value: 'western', label: text.western },
            ]}
          />
          <p className={css.note}>{text.keys}</p>
          {session?.hasToken === false && <p className={css.note}>{text.open}</p>}
          {session?.hasToken === true && (
            <Button className={css.out} onClick={() => void access.signOut().catch(() => {}).finally(signedOut)}>
              {text.signOut}
            </Button>
          )}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
