//! All books, found by symbol.

use rustc_hash::FxHashMap;

use crate::model::Symbol;

use super::book::Book;

/// The books of the symbols that have candidates. They stand side by side: a tick asks for a small
/// part of each.
#[derive(Default)]
pub(super) struct Shelf {
    places: FxHashMap<Symbol, usize>,
    books: Vec<Book>,
    /// Places whose book has gone.
    free: Vec<usize>,
}

impl Shelf {
    /// Returns whether there is no book.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns the book of a symbol.
    pub(super) fn get(&self, symbol: Symbol) -> Option<&Book> {
        let place = self.places.get(&symbol)?;
        self.books.get(*place)
    }

    /// Returns the book of a symbol, to change it.
    #[inline]
    pub(super) fn get_mut(&mut self, symbol: Symbol) -> Option<&mut Book> {
        let place = self.places.get(&symbol)?;
        self.books.get_mut(*place)
    }

    /// Returns the book of a symbol, which may be a new one.
    pub(super) fn of(&mut self, symbol: Symbol) -> &mut Book {
        let place = *self.places.entry(symbol).or_insert_with(|| {
            self.free.pop().unwrap_or_else(|| {
                self.books.push(Book::default());
                self.books.len() - 1
            })
        });
        &mut self.books[place]
    }

    /// Forgets the book of a symbol.
    pub(super) fn remove(&mut self, symbol: Symbol) {
        if let Some(place) = self.places.remove(&symbol) {
            self.books[place] = Book::default();
            self.free.push(place);
        }
    }

    /// Returns all books, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Symbol, &Book)> {
        let places = self.places.iter();
        places.map(|(symbol, place)| (*symbol, &self.books[*place]))
    }

    /// Returns all books, to change them, in no order.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Book> {
        self.books.iter_mut().filter(|book| !book.is_empty())
    }
}
