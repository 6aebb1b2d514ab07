//! Who buys.

use jiff::civil::Date;

use super::{Character, MarketBar};
use turnstile_oracle::Dice;

/// Sessions with flows, the last ones.
const SESSIONS: usize = 80;

/// Shares bought less shares sold on a day. At least one is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetFlow {
    /// Session.
    pub day: Date,
    /// By foreigners, institutions, individuals.
    pub nets: [Option<i64>; 3],
}

/// Returns the flows of the last sessions of `bars`. What is missing of foreigners or institutions is
/// missing for whole stretches; one issue in fifty has no flows lately.
pub(super) fn generate(bars: &[MarketBar], character: Character, dice: &mut Dice) -> Vec<NetFlow> {
    let last = if dice.percent(2) {
        bars.len() * 9 / 10
    } else {
        bars.len()
    };
    let bars =
        &bars[bars.len().saturating_sub(SESSIONS)..last.max(bars.len().saturating_sub(SESSIONS))];
    // Percent of the volume that each side buys on average.
    let (low, high) = match character {
        Character::Strong => (3, 12),
        Character::Plain => (-3, 3),
        Character::Weak | Character::Hyped => (-12, -3),
    };
    let bias = [dice.between(low, high), dice.between(low, high)];
    let silent = [0, 1].map(|_side| {
        let is_silent = dice.percent(10);
        let begin = dice.index(SESSIONS);
        let end = if is_silent {
            begin + SESSIONS / 2
        } else {
            begin
        };
        begin..end
    });
    let of_day = |(at, bar): (usize, &MarketBar)| {
        let net =
            |percent: i64, dice: &mut Dice| bar.volume * (percent + dice.between(-6, 6)) / 100;
        let [foreign, institution] = bias.map(|percent| net(percent, dice));
        let is_told = |side: usize| !silent[side].contains(&at);
        NetFlow {
            day: bar.day,
            nets: [
                is_told(0).then_some(foreign),
                is_told(1).then_some(institution),
                // Never all three: individuals are told where the others are not.
                (!dice.percent(3) || !is_told(0) || !is_told(1)).then_some(-foreign - institution),
            ],
        }
    };
    bars.iter().enumerate().map(of_day).collect()
}
