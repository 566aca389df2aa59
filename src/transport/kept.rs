//! What lasts beside a connection: one thing of whoever works on the host, which goes when the
//! connection does. The transport does not know what it is.

use std::any::Any;

use tokio::sync::{Mutex, MutexGuard};

/// A place for one thing, for one at a time.
#[derive(Default)]
pub struct Kept(Mutex<Option<Box<dyn Any + Send>>>);

/// The place, in one's hands: nobody else comes to it meanwhile.
pub struct Holding<'a>(MutexGuard<'a, Option<Box<dyn Any + Send>>>);

impl Kept {
    /// Waits for one's turn.
    pub async fn hold(&self) -> Holding<'_> {
        Holding(self.0.lock().await)
    }

    /// One's turn, if nobody else has the place in hands.
    pub fn try_hold(&self) -> Option<Holding<'_>> {
        self.0.try_lock().ok().map(Holding)
    }

    /// Lets go of what is there, unless somebody has it in hands: who has it finds the connection
    /// closed. Whether there was anything.
    pub fn clear(&self) -> bool {
        self.0
            .try_lock()
            .is_ok_and(|mut kept| kept.take().is_some())
    }
}

impl Holding<'_> {
    /// Takes what is there.
    pub fn take<T: 'static>(&mut self) -> Option<Box<T>> {
        self.0.take()?.downcast().ok()
    }

    /// Puts it there for the next one.
    pub fn put<T: Send + 'static>(&mut self, thing: Box<T>) {
        *self.0 = Some(thing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_put_there_is_there_for_the_next_one_until_it_is_cleared() {
        let kept = Kept::default();
        kept.hold().await.put(Box::new(7_u8));
        {
            let mut holding = kept.hold().await;
            kept.clear();
            assert_eq!(holding.take::<u8>(), Some(Box::new(7)));
            holding.put(Box::new(8_u8));
        }
        kept.clear();
        assert_eq!(kept.hold().await.take::<u8>(), None);
    }
}
