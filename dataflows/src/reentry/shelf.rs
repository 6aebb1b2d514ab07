//! All books, found by symbol.
//!
//! A table with open addressing, at most half full: each book stands at the place of its symbol, so that a
//! tick asks for both at once and not for one after the other.

use crate::model::Symbol;
use crate::ordered::Routed;

use super::book::Book;

/// Places of the smallest table.
const PLACES_MIN: usize = 16;

/// Where a book stands, until books come or go.
pub(super) type Place = usize;

/// The books of the symbols that have candidates.
#[derive(Default)]
pub(super) struct Shelf {
    /// A power of two, or nothing.
    symbols: Vec<Option<Symbol>>,
    /// Those at places without a symbol are empty.
    books: Vec<Book>,
    count: usize,
}

impl Shelf {
    /// Returns whether there is no book.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns where the book of a symbol stands.
    #[inline]
    pub(super) fn place(&self, symbol: Symbol) -> Option<Place> {
        let mut place = self.home(symbol);
        loop {
            match *self.symbols.get(place)? {
                Some(other) if other == symbol => return Some(place),
                Some(_) => place = self.next(place),
                None => return None,
            }
        }
    }

    /// Returns the book at a place, to change it.
    #[inline]
    pub(super) fn at_mut(&mut self, place: Place) -> &mut Book {
        &mut self.books[place]
    }

    /// Returns the book of a symbol.
    pub(super) fn get(&self, symbol: Symbol) -> Option<&Book> {
        self.place(symbol).map(|place| &self.books[place])
    }

    /// Returns the book of a symbol, to change it.
    pub(super) fn get_mut(&mut self, symbol: Symbol) -> Option<&mut Book> {
        self.place(symbol).map(|place| &mut self.books[place])
    }

    /// Returns the book of a symbol, which may be a new one.
    pub(super) fn of(&mut self, symbol: Symbol) -> &mut Book {
        let place = match self.place(symbol) {
            Some(place) => place,
            None => {
                if (self.count + 1) * 2 > self.symbols.len() {
                    self.grow();
                }
                self.put(symbol, Book::default())
            }
        };
        &mut self.books[place]
    }

    /// Forgets the book of a symbol.
    pub(super) fn remove(&mut self, symbol: Symbol) {
        let Some(mut hole) = self.place(symbol) else {
            return;
        };
        self.symbols[hole] = None;
        self.books[hole] = Book::default();
        self.count -= 1;
        // Those behind it that are not at home move up, or they would not be found.
        let mut place = self.next(hole);
        while let Some(other) = self.symbols[place] {
            if self.from(self.home(other), place) >= self.from(hole, place) {
                self.symbols.swap(hole, place);
                self.books.swap(hole, place);
                hole = place;
            }
            place = self.next(place);
        }
    }

    /// Returns all books, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Symbol, &Book)> {
        let places = self.symbols.iter().zip(&self.books);
        places.filter_map(|(symbol, book)| symbol.map(|symbol| (symbol, book)))
    }

    /// Returns all books, to change them, in no order.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Book> {
        let places = self.symbols.iter().zip(&mut self.books);
        places.filter_map(|(symbol, book)| symbol.map(|_| book))
    }

    /// Puts a book at the first free place from its home on.
    fn put(&mut self, symbol: Symbol, book: Book) -> Place {
        let mut place = self.home(symbol);
        while self.symbols[place].is_some() {
            place = self.next(place);
        }
        self.symbols[place] = Some(symbol);
        self.books[place] = book;
        self.count += 1;
        place
    }

    fn grow(&mut self) {
        let places = (self.symbols.len() * 2).max(PLACES_MIN);
        let symbols = std::mem::replace(&mut self.symbols, vec![None; places]);
        let books = std::iter::repeat_with(Book::default).take(places).collect();
        let books = std::mem::replace(&mut self.books, books);
        self.count = 0;
        for (symbol, book) in symbols.into_iter().zip(books) {
            if let Some(symbol) = symbol {
                self.put(symbol, book);
            }
        }
    }

    /// Returns the place at which a symbol is looked for first.
    #[inline]
    fn home(&self, symbol: Symbol) -> Place {
        let route = usize::try_from(symbol.route()).unwrap_or_default();
        route & self.mask()
    }

    #[inline]
    fn next(&self, place: Place) -> Place {
        (place + 1) & self.mask()
    }

    /// Returns how many places `to` is after `from`, around the end.
    fn from(&self, from: Place, to: Place) -> usize {
        to.wrapping_sub(from) & self.mask()
    }

    #[inline]
    fn mask(&self) -> usize {
        self.symbols.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn symbols_are_found_as_in_a_set(
            steps in proptest::collection::vec((0_u32..60, any::<bool>()), 0..300),
        ) {
            let (mut shelf, mut known) = (Shelf::default(), BTreeSet::new());
            for (number, is_there) in steps {
                let symbol: Symbol = format!("{:06}", number * 10).parse().unwrap();
                if is_there {
                    shelf.of(symbol).trust(symbol.to_bits());
                    known.insert(symbol);
                } else {
                    shelf.remove(symbol);
                    known.remove(&symbol);
                }
                prop_assert_eq!(shelf.is_empty(), known.is_empty());
                let found: BTreeSet<Symbol> = shelf.iter().map(|(symbol, _book)| symbol).collect();
                prop_assert_eq!(&found, &known);
                for symbol in &known {
                    let own = shelf.get(*symbol).map(Book::judged);
                    prop_assert_eq!(own, Some(symbol.to_bits()), "each has its own book");
                }
                prop_assert_eq!(shelf.all_mut().count(), known.len());
            }
        }
    }
}
