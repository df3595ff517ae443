//! Whether a point lies on its curve, for the module that has no arithmetic of curves: one equation, by the plainest
//! means. A crate for it weighs twenty times as much, and points are public, so that time may tell of them.

use super::algorithm::Family;

/// The primes and the coefficients `b` (FIPS 186-4 appendix D.1.2), as numbers of the field's length.
const P256: [&str; 2] = [
    "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
];
const P384: [&str; 2] = [
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
    "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
];
const P521: [&str; 2] = [
    "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
     ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109\
     e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
];

/// Whether this is a point of the curve in uncompressed form (SEC 1 section 2.3.3): 4, x, y, both below the prime,
/// and y² = x³ - 3x + b.
pub(super) fn holds(family: Family, point: &[u8]) -> bool {
    let constants = match family {
        Family::P256 => P256,
        Family::P384 => P384,
        Family::P521 => P521,
        Family::Rsa | Family::Ed25519 | Family::Hmac => return false,
    };
    is_on(constants, family, point).unwrap_or(false)
}

fn is_on([prime, b]: [&str; 2], family: Family, point: &[u8]) -> Option<bool> {
    let length = family.scalar_length()?;
    let (4, coordinates) = point.split_first()? else { return None };
    let (x, y) = coordinates.split_at_checked(length)?;
    if y.len() != length {
        return None;
    }
    let field = Field(Number::from_hex(prime)?);
    let (x, y, b) = (field.element(x)?, field.element(y)?, Number::from_hex(b)?);
    let minus_x = field.0.minus(x)?;
    let cubed = field.product(field.product(x, x), x);
    let right = [minus_x, minus_x, minus_x, b].into_iter().fold(cubed, |left, right| field.sum(left, right));
    Some(field.product(y, y) == right)
}

/// A number of up to 576 bits, its lowest limb first.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Number([u64; 9]);

impl Number {
    fn from_bytes(big_endian: &[u8]) -> Self {
        let mut limbs = [0; 9];
        for (limb, bytes) in limbs.iter_mut().zip(big_endian.rchunks(8)) {
            *limb = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        }
        Self(limbs)
    }

    fn from_hex(digits: &str) -> Option<Self> {
        let byte = |at: usize| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..digits.len() / 2).map(byte).collect();
        bytes.map(|bytes| Self::from_bytes(&bytes))
    }

    /// None where the other is greater.
    fn minus(self, other: Self) -> Option<Self> {
        let (mut limbs, mut borrow) = (self.0, false);
        for (limb, other) in limbs.iter_mut().zip(other.0) {
            let (difference, below) = limb.overflowing_sub(other);
            let (difference, below_again) = difference.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (difference, below || below_again);
        }
        (!borrow).then_some(Self(limbs))
    }

    /// Of two numbers of at most 575 bits.
    fn plus(self, other: Self) -> Self {
        let (mut limbs, mut carry) = (self.0, false);
        for (limb, other) in limbs.iter_mut().zip(other.0) {
            let (sum, above) = limb.overflowing_add(other);
            let (sum, above_again) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, above || above_again);
        }
        Self(limbs)
    }
}

/// The integers modulo this prime.
struct Field(Number);

impl Field {
    /// The element of these bytes; none where the number is not below the prime.
    fn element(&self, big_endian: &[u8]) -> Option<Number> {
        let number = Number::from_bytes(big_endian);
        number.minus(self.0).is_none().then_some(number)
    }

    fn sum(&self, one: Number, other: Number) -> Number {
        let sum = one.plus(other);
        sum.minus(self.0).unwrap_or(sum)
    }

    /// By doubling and adding: some 30 µs, once for each key that is read.
    fn product(&self, one: Number, other: Number) -> Number {
        let mut product = Number([0; 9]);
        for limb in other.0.iter().rev().skip_while(|limb| **limb == 0) {
            for bit in (0..u64::BITS).rev() {
                product = self.sum(product, product);
                if limb >> bit & 1 == 1 {
                    product = self.sum(product, one);
                }
            }
        }
        product
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    /// Base points (FIPS 186-4 appendix D.1.2) are on their curve and on no other; with a bit changed
    /// in any byte they are on none.
    #[test]
    fn a_base_point_is_on_its_curve_and_no_neighbour_is() {
        for (family, x, y) in [
            (
                Family::P256,
                "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
                "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
            ),
            (
                Family::P384,
                "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
                "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
            ),
            (
                Family::P521,
                "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3d\
                 baa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
                "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e66\
                 2c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
            ),
        ] {
            let bytes = |digits: &str| -> Vec<u8> {
                let pairs = (0..digits.len() / 2).map(|at| digits.get(2 * at..2 * at + 2).unwrap());
                pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
            };
            let point = [&[4][..], &bytes(x), &bytes(y)].concat();
            for other in [Family::P256, Family::P384, Family::P521, Family::Ed25519, Family::Rsa] {
                assert_eq!(holds(other, &point), other == family, "{family:?} as {other:?}");
            }
            for byte in 0..point.len() {
                let mut neighbour = point.clone();
                neighbour.get_mut(byte).map(|byte| *byte ^= 1).unwrap();
                assert!(!holds(family, &neighbour), "{family:?}, byte {byte}");
            }
            let (shorter, _) = point.split_at(point.len() - 1);
            let longer = [&point[..], &[0]].concat();
            for wrong in [&[][..], &[4], &[0], shorter, &longer] {
                assert!(!holds(family, wrong), "{family:?}, {} bytes", wrong.len());
            }
        }
    }
}
