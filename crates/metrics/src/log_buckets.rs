//! Which power of two a number lies below, to a 256th of an exponent.

/// Finest resolution: each power of two is parted into `2^8` buckets.
pub(crate) const FINEST: i8 = 8;

/// Coarsest: `2^16` is one bucket.
pub(crate) const COARSEST: i8 = -4;

/// Bits of a number's fraction.
const FRACTION: u32 = 52;

/// Fractions of the greatest numbers that are at most `2^(i/256)`: those powers are irrational but for the first, so that a
/// number is above the power if, and only if, its fraction is above this one.
const POWERS: [u64; 256] = [
    0x0_0000_0000_0000,
    0x0_0b1a_fa5a_bcbe,
    0x0_163d_a9fb_3335,
    0x0_2168_143b_0280,
    0x0_2c9a_3e77_8060,
    0x0_37d4_2e11_bbcc,
    0x0_4315_e86e_7f84,
    0x0_4e5f_72f6_54b1,
    0x0_59b0_d315_8574,
    0x0_650a_0e3c_1f88,
    0x0_706b_29dd_f6dd,
    0x0_7bd4_2b72_a836,
    0x0_8745_1875_9bc8,
    0x0_92bd_f666_07df,
    0x0_9e3e_cac6_f383,
    0x0_a9c7_9b1f_3919,
    0x0_b558_6cf9_890f,
    0x0_c0f1_45e4_6c85,
    0x0_cc92_2b72_47f7,
    0x0_d83b_2339_5deb,
    0x0_e3ec_32d3_d1a2,
    0x0_efa5_5fdf_a9c4,
    0x0_fb66_affe_d31a,
    0x1_0730_28d7_233e,
    0x1_1301_d012_5b50,
    0x1_1edb_ab5e_2ab5,
    0x1_2abd_c06c_31cb,
    0x1_36a8_14f2_04aa,
    0x1_429a_aea9_2ddf,
    0x1_4e95_934f_312d,
    0x1_5a98_c8a5_8e51,
    0x1_66a4_5471_c3c2,
    0x1_72b8_3c7d_517a,
    0x1_7ed4_8695_bbc0,
    0x1_8af9_388c_8de9,
    0x1_9726_5837_5d2f,
    0x1_a35b_eb6f_cb75,
    0x1_af99_f813_8a1c,
    0x1_bbe0_8404_5cd3,
    0x1_c82f_9528_1c6b,
    0x1_d487_3168_b9aa,
    0x1_e0e7_5eb4_4026,
    0x1_ed50_22fc_d91c,
    0x1_f9c1_8438_ce4c,
    0x2_063b_8862_8cd6,
    0x2_12be_3578_a819,
    0x2_1f49_917d_dc96,
    0x2_2bdd_a279_12d1,
    0x2_387a_6e75_6238,
    0x2_451f_fb82_140a,
    0x2_51ce_4fb2_a63f,
    0x2_5e85_711e_ce75,
    0x2_6b45_65e2_7cdd,
    0x2_780e_341d_df29,
    0x2_84df_e1f5_6380,
    0x2_91ba_7591_bb6f,
    0x2_9e9d_f51f_dee1,
    0x2_ab8a_66d1_0f12,
    0x2_b87f_d0da_d98f,
    0x2_c57e_3977_1b2e,
    0x2_d285_a6e4_030b,
    0x2_df96_1f64_1589,
    0x2_ecaf_a93e_2f56,
    0x2_f9d2_4abd_886a,
    0x3_06fe_0a31_b715,
    0x3_1432_edee_b2fd,
    0x3_2170_fc4c_d831,
    0x3_2eb8_3ba8_ea31,
    0x3_3c08_b264_16ff,
    0x3_4962_66e3_fa2c,
    0x3_56c5_5f92_9ff0,
    0x3_6431_a2de_883a,
    0x3_71a7_373a_a9ca,
    0x3_7f26_231e_7549,
    0x3_8cae_6d05_d865,
    0x3_9a40_1b71_40ee,
    0x3_a7db_34e5_9ff6,
    0x3_b57f_bfec_6cf4,
    0x3_c32d_c313_a8e4,
    0x3_d0e5_44ed_e173,
    0x3_dea6_4c12_3422,
    0x3_ec70_df1c_5174,
    0x3_fa45_04ac_801b,
    0x4_0822_c367_a024,
    0x4_160a_21f7_2e29,
    0x4_23fb_2709_4689,
    0x4_31f5_d950_a896,
    0x4_3ffa_3f84_b9d4,
    0x4_4e08_6061_892d,
    0x4_5c20_42a7_d231,
    0x4_6a41_ed1d_0057,
    0x4_786d_668b_3236,
    0x4_86a2_b5c1_3cd0,
    0x4_94e1_e192_aed1,
    0x4_a32a_f0d7_d3de,
    0x4_b17d_ea6d_b7d6,
    0x4_bfda_d536_2a27,
    0x4_ce41_b817_c114,
    0x4_dcb2_99fd_dd0d,
    0x4_eb2d_81d8_abfe,
    0x4_f9b2_769d_2ca6,
    0x5_0841_7f45_31ee,
    0x5_16da_a2cf_6641,
    0x5_257d_e83f_4eee,
    0x5_342b_569d_4f81,
    0x5_42e2_f4f6_ad27,
    0x5_51a4_ca5d_920e,
    0x5_6070_dde9_10d1,
    0x5_6f47_36b5_27da,
    0x5_7e27_dbe2_c4ce,
    0x5_8d12_d497_c7fd,
    0x5_9c08_27ff_07cb,
    0x5_ab07_dd48_5429,
    0x5_ba11_fba8_7a02,
    0x5_c926_8a59_46b7,
    0x5_d845_9099_8b92,
    0x5_e76f_15ad_2148,
    0x5_f6a3_20dc_eb70,
    0x6_05e1_b976_dc08,
    0x6_152a_e6cd_f6f4,
    0x6_247e_b03a_5584,
    0x6_33dd_1d19_29fd,
    0x6_4346_34cc_c31f,
    0x6_52b9_febc_8fb6,
    0x6_6238_8255_2224,
    0x6_71c1_c708_33f5,
    0x6_8155_d44c_a973,
    0x6_90f4_b19e_9538,
    0x6_a09e_667f_3bcc,
    0x6_b052_fa75_173e,
    0x6_c012_750b_dabe,
    0x6_cfdc_ddd4_7645,
    0x6_dfb2_3c65_1a2e,
    0x6_ef92_9859_3ae4,
    0x6_ff7d_f951_9483,
    0x7_0f74_66f4_2e87,
    0x7_1f75_e8ec_5f73,
    0x7_2f82_86ea_d089,
    0x7_3f9a_48a5_8173,
    0x7_4fbd_35d7_cbfd,
    0x7_5feb_5642_67c8,
    0x7_7024_b1ab_6e09,
    0x7_8069_4fde_5d3f,
    0x7_90b9_38ac_1cf6,
    0x7_a114_73eb_0186,
    0x7_b17b_0976_cfda,
    0x7_c1ed_0130_c132,
    0x7_d26a_62ff_86f0,
    0x7_e2f3_36cf_4e62,
    0x7_f387_8491_c490,
    0x8_0427_543e_1a11,
    0x8_14d2_add1_06d9,
    0x8_2589_994c_ce12,
    0x8_364c_1eb9_41f7,
    0x8_471a_4623_c7ac,
    0x8_57f4_179f_5b20,
    0x8_68d9_9b44_92ec,
    0x8_79ca_d931_a436,
    0x8_8ac7_d98a_6699,
    0x8_9bd0_a478_580f,
    0x8_ace5_422a_a0db,
    0x8_be05_bad6_1778,
    0x8_cf32_16b5_448b,
    0x8_e06a_5e08_66d8,
    0x8_f1ae_9915_7736,
    0x9_02fe_d028_2c8a,
    0x9_145b_0b91_ffc5,
    0x9_25c3_53aa_2fe1,
    0x9_3737_b0cd_c5e4,
    0x9_48b8_2b5f_98e4,
    0x9_5a44_cbc8_520e,
    0x9_6bdd_9a76_70b2,
    0x9_7d82_9fde_4e4f,
    0x9_8f33_e47a_22a2,
    0x9_a0f1_70ca_07b9,
    0x9_b2bb_4d53_fe0c,
    0x9_c491_82a3_f090,
    0x9_d674_194b_b8d4,
    0x9_e863_19e3_2323,
    0x9_fa5e_8d07_f29d,
    0xa_0c66_7b5d_e564,
    0xa_1e7a_ed8e_b8bb,
    0xa_309b_ec4a_2d33,
    0xa_42c9_8046_0ad7,
    0xa_5503_b23e_255c,
    0xa_674a_8af4_6052,
    0xa_799e_1330_b358,
    0xa_8bfe_53c1_2e58,
    0xa_9e6b_5579_fdbf,
    0xa_b0e5_2135_6eba,
    0xa_c36b_bfd3_f379,
    0xa_d5ff_3a3c_2774,
    0xa_e89f_995a_d3ad,
    0xa_fb4c_e622_f2fe,
    0xb_0e07_298d_b665,
    0xb_20ce_6c9a_8952,
    0xb_33a2_b84f_15fa,
    0xb_4684_15b7_49b0,
    0xb_5972_8de5_5939,
    0xb_6c6e_29f1_c52a,
    0xb_7f76_f2fb_5e46,
    0xb_928c_f227_49e3,
    0xb_a5b0_30a1_0649,
    0xb_b8e0_b79a_6f1e,
    0xb_cc1e_904b_c1d2,
    0xb_df69_c3f3_a206,
    0xb_f2c2_5bd7_1e08,
    0xc_0628_6141_b33c,
    0xc_199b_dd85_529c,
    0xc_2d1c_d9fa_652b,
    0xc_40ab_5fff_d07a,
    0xc_5447_78fa_fb22,
    0xc_67f1_2e57_d14b,
    0xc_7ba8_8988_c932,
    0xc_8f6d_9406_e7b5,
    0xc_a340_5751_c4da,
    0xc_b720_dcef_9069,
    0xc_cb0f_2e6d_1674,
    0xc_df0b_555d_c3f9,
    0xc_f315_5b5b_ab73,
    0xd_072d_4a07_897b,
    0xd_1b53_2b08_c968,
    0xd_2f87_080d_89f1,
    0xd_43c8_eaca_a1d6,
    0xd_5818_dcfb_a487,
    0xd_6c76_e862_e6d3,
    0xd_80e3_16c9_8397,
    0xd_955d_71ff_6075,
    0xd_a9e6_03db_3285,
    0xd_be7c_d63a_8314,
    0xd_d321_f301_b460,
    0xd_e7d5_641c_0657,
    0xd_fc97_337b_9b5e,
    0xe_1167_6b19_7d16,
    0xe_2646_14f5_a128,
    0xe_3b33_3b16_ee11,
    0xe_502e_e78b_3ff6,
    0xe_6539_2467_6d75,
    0xe_7a51_fbc7_4c83,
    0xe_8f79_77cd_b73f,
    0xe_a4af_a2a4_90d9,
    0xe_b9f4_867c_ca6e,
    0xe_cf48_2d8e_67f0,
    0xe_e4aa_a218_8510,
    0xe_fa1b_ee61_5a27,
    0xf_0f9c_1cb6_4129,
    0xf_252b_376b_ba97,
    0xf_3ac9_48dd_7273,
    0xf_5076_5b6e_4540,
    0xf_6632_7988_44f8,
    0xf_7bfd_ad9c_be13,
    0xf_91d8_0224_3c88,
    0xf_a7c1_819e_90d8,
    0xf_bdba_3692_d513,
    0xf_d3c2_2b8f_71f1,
    0xf_e9d9_6b2a_23d9,
];

/// For each 512th of the fractions, how many of the powers lie below its start. None of them holds two of the powers.
const BELOW: [u16; 512] = {
    let mut below = [0; 512];
    let mut cell = 1;
    while cell < 512 {
        let start = (cell as u64) << (FRACTION - 9);
        let mut count = 0;
        while count < 256 && POWERS[count] < start {
            count += 1;
        }
        below[cell] = count as u16;
        cell += 1;
    }
    below
};

/// The number of the bucket that a number above zero lies in: the least `i` with `value <= 2^(i / 2^schema)`.
///
/// Exact for every number, those below the normal ones included. The schema is one from [`COARSEST`] to [`FINEST`]. O(1).
#[inline]
pub(crate) fn bucket(value: f64, schema: i8) -> i32 {
    // Of the least whole number above `256 log2(value)` comes that for fewer parts, since rounding up twice is rounding up
    // once.
    let shift = u32::from((FINEST - schema).unsigned_abs());
    (finest(value) + ((1 << shift) - 1)) >> shift
}

#[inline]
fn finest(value: f64) -> i32 {
    let bits = value.to_bits();
    match bits >> FRACTION {
        0 => finest_normal((value * SCALE).to_bits()) - SCALED,
        _ => finest_normal(bits),
    }
}

/// What brings the least numbers among the normal ones.
const SCALE: f64 = (1u64 << FRACTION) as f64;
const SCALED: i32 = FRACTION as i32 * 256;

#[inline]
fn finest_normal(bits: u64) -> i32 {
    let exponent = ((bits >> FRACTION) & 0x7ff) as i32 - 1_023;
    let fraction = bits & ((1 << FRACTION) - 1);
    let below = usize::from(BELOW[(fraction >> (FRACTION - 9)) as usize & 511]);
    let above = POWERS.get(below).is_some_and(|&power| power < fraction);
    exponent * 256 + below as i32 + i32::from(above)
}

/// The greatest number of a bucket: the greatest that is at most `2^(bucket / 2^schema)`, within what a number can be.
pub(crate) fn upper(bucket: i32, schema: i8) -> f64 {
    let finest = i64::from(bucket) << u32::from((FINEST - schema).unsigned_abs());
    let (exponent, part) = (finest >> 8, (finest & 255) as usize);
    let fraction = POWERS[part & 255];
    let whole = (1u64 << FRACTION) | fraction;
    match exponent {
        1_024.. => f64::MAX,
        -1_022.. => f64::from_bits(((exponent + 1_023) as u64) << FRACTION | fraction),
        -1_074.. => f64::from_bits(whole >> (-1_022 - exponent)),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::*;

    /// A whole number of any size, lowest digit first.
    type Whole = Vec<u32>;

    fn square(of: &[u32]) -> Whole {
        let mut out = vec![0u32; of.len() * 2];
        for (i, &a) in of.iter().enumerate() {
            let mut carry = 0u64;
            for (j, &b) in of.iter().enumerate() {
                carry += u64::from(a) * u64::from(b) + u64::from(out[i + j]);
                out[i + j] = carry as u32;
                carry >>= 32;
            }
            out[i + of.len()] = carry as u32;
        }
        out
    }

    /// Compares a whole number with `2^exponent`.
    fn compare_power(whole: &[u32], exponent: u64) -> Ordering {
        let top = whole.iter().rposition(|&digit| digit != 0).unwrap();
        let bits = top as u64 * 32 + u64::from(32 - whole[top].leading_zeros());
        let only_bit = whole[top].is_power_of_two() && whole[..top].iter().all(|&digit| digit == 0);
        match bits.cmp(&(exponent + 1)) {
            Ordering::Equal if !only_bit => Ordering::Greater,
            other => other,
        }
    }

    /// Whether `value <= 2^(bucket / 2^schema)`, by whole numbers alone: `value^(2^schema) <= 2^bucket`.
    fn is_at_most(value: f64, bucket: i32, schema: i8) -> bool {
        let bits = value.to_bits();
        let (mut mantissa, mut exponent) = (bits & ((1 << 52) - 1), (bits >> 52) as i64);
        if exponent == 0 {
            exponent = 1;
        } else {
            mantissa |= 1 << 52;
        }
        let exponent = exponent - 1_075;
        let (mut power, mut times, mut bucket) =
            (vec![mantissa as u32, (mantissa >> 32) as u32], 1i64, i64::from(bucket));
        for _ in 0..schema {
            power = square(&power);
            times *= 2;
        }
        for _ in schema..0 {
            bucket *= 2;
        }
        // mantissa^times 2^(exponent times) <= 2^bucket
        let right = bucket - exponent * times;
        right >= 0 && compare_power(&power, right as u64) != Ordering::Greater
    }

    fn check(value: f64, schema: i8) -> Result<(), TestCaseError> {
        let bucket = bucket(value, schema);
        prop_assert!(
            is_at_most(value, bucket, schema),
            "{value:e} is above bucket {bucket} of schema {schema}"
        );
        prop_assert!(
            !is_at_most(value, bucket - 1, schema),
            "{value:e} is below bucket {bucket} of schema {schema}"
        );
        Ok(())
    }

    #[test]
    fn the_powers_are_the_greatest_numbers_that_are_not_above_them() {
        for (i, fraction) in POWERS.into_iter().enumerate() {
            let at = f64::from_bits(1_023 << 52 | fraction);
            assert!(is_at_most(at, i as i32, 8), "{i}");
            assert!(!is_at_most(at.next_up(), i as i32, 8), "{i}");
        }
    }

    #[test]
    fn no_512th_of_the_fractions_holds_two_powers() {
        for pair in POWERS.windows(2) {
            assert!(pair[0] >> 43 < pair[1] >> 43);
        }
    }

    #[test]
    fn powers_of_two_end_their_bucket() {
        for exponent in (-1_074..1_024).filter(|exponent| exponent % 61 == 0 || *exponent < -1_070) {
            let value = 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2);
            for schema in COARSEST..=FINEST {
                check(value, schema).unwrap();
                check(value.next_up(), schema).unwrap();
            }
            assert_eq!(bucket(value, 0), exponent);
            assert_eq!(bucket(value, 3), exponent * 8);
        }
    }

    #[test]
    fn known_numbers_are_where_prometheus_has_them() {
        // The rule of its documentation, by hand: bucket 0 ends at 1, and each next one is 2^(2^-schema) times as wide.
        for (value, schema, expected) in [
            (1.0, 0, 0),
            (1.5, 0, 1),
            (2.0, 0, 1),
            (1.0, 3, 0),
            (1.09, 3, 1),
            (1.091, 3, 2),
            (0.5, 3, -8),
            (0.1, 2, -13),
            (16.0, -2, 1),
            (17.0, -2, 2),
            (f64::MAX, 8, 262_144),
            (f64::from_bits(1), 8, -274_944),
        ] {
            assert_eq!(bucket(value, schema), expected, "{value} at {schema}");
        }
    }

    #[test]
    fn the_ends_of_all_numbers_are_numbers() {
        assert_eq!((upper(1_024, 0), upper(5_000, 0)), (f64::MAX, f64::MAX));
        assert_eq!((upper(-1_074, 0), upper(-1_075, 0)), (f64::from_bits(1), 0.0));
    }

    fn positive() -> impl Strategy<Value = f64> {
        let any = (1u64..0x7ff0_0000_0000_0000).prop_map(f64::from_bits);
        let subnormal = (1u64..1 << 52).prop_map(f64::from_bits);
        let usual = (1e-9..1e9f64).boxed();
        prop_oneof![any, subnormal, usual]
    }

    proptest! {
        #[test]
        fn a_number_is_in_the_bucket_that_whole_numbers_say(value in positive(), schema in COARSEST..=FINEST) {
            check(value, schema)?;
        }

        #[test]
        fn the_upper_end_of_a_bucket_is_its_greatest_number(
            at in -261_000i32..262_000,
            schema in COARSEST..=FINEST,
        ) {
            let shift = 8 - i32::from(schema);
            let number = at >> shift;
            let upper = upper(number, schema);
            prop_assert_eq!(bucket(upper, schema), number);
            prop_assert_eq!(bucket(upper.next_up(), schema), number + 1);
            check(upper, schema)?;
        }
    }
}
