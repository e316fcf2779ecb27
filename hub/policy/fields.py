"""Which fields of an entry come out at all: the closed lists behind the projector.

A field that stands in none of these lists is withheld, whatever the rules say: so a field added tomorrow does not leak.
A test compares the list of details with the published schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONTACT: Final = ("name", "role", "phone", "email")
AUTHOR: Final = ("name", "role", "service")
HAPPENED: Final = ("from", "to", "precision", "zone")
TOLD: Final = ("who", "told", "why", "until")
AFTERWARDS_FULL: Final = ("action", "outcome", "reason_class")
AFTERWARDS_OUTLINE: Final = ("outcome", "reason_class")
ADDRESSEE: Final = ("service", "role")
PERSON: Final = ("group", "relation", "incident_role", "adult", "household", "parental_responsibility", "s38")
PERSON_NAMED: Final = ("name", "description")
PLACE: Final = ("kind", "precision", "name", "address", "postcode", "ward", "local_authority")
STRUCTURE: Final = ("source", "id", "datadigest", "position")
WORDS: Final = ("childs_words", "adults_account", "asked", "by_when", "learned", "recorded", "not_to_be_told", "change")
"""Members of an event that are shown as they are, in full only."""

PLAIN: Final = _names("""
    about absent accepted action actions address_protected admitted age_band age_gap_years age_weeks agrees alert alone
    also analysis answer apologies appointment appointment_for arrested arrived asked_at asked_for attended authorised
    authority basis became_known bedroom_seen body_map booked_at_weeks breach brought_by by by_qualified_social_worker
    by_service capacity care cares_for categories category centile_from centile_to change child_in_household
    child_present child_role child_seen child_spoken_to child_took_part children_present childs_part classed_as code
    code_system coercion competent complaint completed concern concerns conditions conference_due confidence_asked
    consented_by contact council_told course current_risk custody days decided decided_by decision
    decision_changed declared_by designated_officer destination_known diagnoses direction discharged dissent due
    effect_on_child ended enquiries evidence exemption expected explanation explanation_by_adult explanation_by_child
    explanation_fits factors family_told felt_safer field findings first_hand first_risk for_service found found_by
    freely from from_family from_given from_service from_whom gateway half_days handled_by harm heard_by hours_a_week
    how in_care incident_on incident_reference incident_type informed injuries injury interpreter joined joint
    joint_with_council kept_at kind kinds last_seen lead_worker left left_to legal_status level limits marks measure
    measured minutes_from_receipt missing_from mobility moved multiple name national_referral_mechanism necessity
    need_code needs next next_due next_on next_step next_try notification notified notified_by notify_before
    objected of offence_class offer open_referral opinion others_heard others_present out_of_area outcome
    over_limit_reason paediatric_opinion participants pattern person photographs place_kind placement plan planned
    planned_start present previous progress purpose question read readers reason reason_class reason_code reason_known
    reasons receipt_due recipients referral_advised referral_or_information referred_at_once relation_code relation
    released repeat_victim reported_to_police restricted result return_interview review review_on risk role route
    safe_discharge_plan saw_or_heard scope searched_how seen seen_by_paediatrician service service_name sessions_missed
    sessions_possible share_limits shown since source_code specialty started stated_cause status strengths suspected
    threshold_edition times_in_12_months times_in_90_days times_in_row to to_family to_given told travel_planned
    unauthorised until vaccine vaccine_code waited_minutes waiting_since wanted weeks weight_g what when where who whose
    why why_not_told wish with_decision with_service working_days found_where
""")
"""Details shown in full to whoever reads the entry in full."""

PLACES: Final = _names("""
    caring_authority clinic court department destination destination_urn from_area from_name from_practice
    previous_school previous_urn site_code to_area to_name to_practice to_service ward
""")
"""Details that say where: shown with the facet `place`."""

SERVICES: Final = _names("""
    appointment_for authority decided_by designated_officer found_where handled_by heard_by incident_reference
    lead_worker name notified_by out_of_area person previous service_name threshold_edition with_decision with_service
""")
"""Details that name a service or who works there, or say whose area it is: withheld of an entry that would tell where a
protected child is, as is whatever holds the URN of a service."""

IDENTIFYING: Final = frozenset({"brought_by_words", "contributions", "new", "old"})
"""Details that may repeat what another field withholds: shown where people and place are shown altogether."""

REFERENCES: Final = frozenset({"holder_ref", "parent_ref", "person_ref", "present_refs", "restricted_refs"})
"""Details that point at somebody in `people`; shown as the number that person has in this answer."""

NEVER: Final = _names("""
    agreement also_under child children custody_reference entry event events may_know new_identifier old_identifier
    position record record_sha256 request subject subjects to_child two_persons visit
""")
"""Details that no answer carries: ids of events, of children and of other systems, and who may know a secret."""

GENERIC: Final[Mapping[str, str]] = {
    **dict.fromkeys(("MTH", "FTH", "NMTH", "NFTH", "PRN", "NPRN", "GESTM", "ADOPTP", "PRNFOST"), "a parent"),
    **dict.fromkeys(("STPMTH", "STPFTH", "STPPRN"), "a step-parent"),
    **dict.fromkeys(("SIB", "BRO", "SIS", "HBRO", "HSIS", "HSIB", "STPBRO", "STPSIS", "STPSIB", "TWIN"),
                    "a brother or sister"),
    **dict.fromkeys(("GRPRN", "GRMTH", "GRFTH", "MGRMTH", "PGRMTH", "MGRFTH", "PGRFTH", "AUNT", "MAUNT", "PAUNT",
                     "UNCLE", "MUNCLE", "PUNCLE", "COUSN", "EXT", "FAMMEMB"), "a relative"),
    **dict.fromkeys(("SPS", "DOMPART", "SIGOTHR"), "a partner"),
    **dict.fromkeys(("NBOR", "FRND"), "a neighbour or friend"),
}  # fmt: skip
"""What an outline makes of an HL7 v3 RoleCode; words that are not a code become the group's generic word."""
